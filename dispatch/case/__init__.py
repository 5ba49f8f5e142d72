"""What is to be dispatched: the attribute table, validation, netCDF, tables and importers."""
