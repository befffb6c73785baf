"""How answers are written: JSON, MessagePack, and tables as CSV, Parquet or Arrow."""
