// See work.h.
#include "tensor/work.h"

size_t work_bytes(const struct work_room *r) {
	size_t pieces = work_pieces_bytes(r->rows, r->columns, WORK_PIECES_MOST), most = 0;
	size_t each[] = {
	    pieces < WORK_PIECES_BYTES_MOST ? pieces : WORK_PIECES_BYTES_MOST + sizeof(real),
	    work_slices_bytes(work_slices(r->rows), r->columns),
	    work_blocks_bytes(work_blocks(SIZE_MAX)),
	    work_scan_words(r->listed) * sizeof(uint32_t),
	    work_lists_bytes(r->ranked, r->k) + work_bits_bytes(r->ranked, r->items),
	};
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		most = each[i] > most ? each[i] : most;
	return most;
}
