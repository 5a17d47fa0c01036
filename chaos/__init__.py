"""`make chaos`: people use Manta while its processes are killed; nothing of theirs may be lost."""
