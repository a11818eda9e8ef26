// The file that hands a shape's training data to the peers and to `bench_limits`: what the program itself trains on,
// after filter, buckets and split. All numbers in the machine's own byte order, little-endian on what we run on.
//   header, then of ratings and of side information in turn:
//   int64 start[rows + 1], int32 column[entries], float32 value[entries], each padded to 8 bytes
#ifndef AEXP_BENCH_DATA_FILE_H
#define AEXP_BENCH_DATA_FILE_H

#include <stdint.h>

#define DATA_FILE_MAGIC "AEXPDAT1"

struct data_file_header {
	char magic[8];
	uint64_t rows, columns, entries;
	uint64_t feature_columns, feature_entries; // 0 without side information: its `start` is then all zero
};

#endif
