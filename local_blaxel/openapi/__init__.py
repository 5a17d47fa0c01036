"""The OpenAPI description of local_blaxel, by hand in the YAML files of this folder."""
