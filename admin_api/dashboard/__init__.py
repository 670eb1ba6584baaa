"""The dashboard's pages, assets and translations."""
