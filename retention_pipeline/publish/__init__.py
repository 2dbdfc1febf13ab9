"""What people and BI tools read: a versioned serving database and the same tables as Parquet, swapped as one."""
