"""QuickBooks: the writer, the reader, and the emulator."""
