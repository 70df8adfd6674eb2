"""Random schemas, values and loads, all from one seed. Knows nothing of the tool."""
