"""Where the stream is; alone, so that describing or linking to it loads nothing else."""

PATH = "/live/inside"
