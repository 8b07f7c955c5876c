"""The DuckDB loader of the main job, a package of its own."""
