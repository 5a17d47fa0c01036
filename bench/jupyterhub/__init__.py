"""Manta beside JupyterHub: the same client, by turns, in one sitting."""
