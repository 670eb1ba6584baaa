"""What `antrian provider new` writes: the files of an adapter, with `TODO` where its provider is to be described."""
