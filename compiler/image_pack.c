// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "image.h"

#define PACK_ALIGN 8U

struct pack {
	char *data;
	size_t used;
};

/* Appends a table; without @data, only counts. Returns its offset */
static __u32 pack_table(struct pack *pack, const void *table, size_t size)
{
	size_t offset = pack->used;

	if (pack->data && size)
		memcpy(pack->data + offset, table, size);
	pack->used = (offset + size + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
	return (__u32)offset;
}

static void pack_tables(struct pack *pack, const struct policy_image *image,
			struct ublkpol_header *header)
{
	pack->used = sizeof(*header);
#define PACK_TABLE(table) \
	header->table = pack_table(pack, image->table, header->nr_##table * sizeof(*image->table))
	PACK_TABLE(backends);
	PACK_TABLE(rules);
	PACK_TABLE(targets);
	PACK_TABLE(lists);
	PACK_TABLE(parts);
	PACK_TABLE(outcomes);
	PACK_TABLE(sets);
	PACK_TABLE(params);
	PACK_TABLE(legs);
	PACK_TABLE(ranges);
#undef PACK_TABLE
	header->strings = pack_table(pack, image->strings, header->strings_size);
	header->image_size = (__u32)pack->used;
}

const void *image_pack(const struct policy_image *image, struct arena *arena, size_t *size)
{
	struct ublkpol_header header = *image->header;
	struct pack pack = { 0 };

	pack_tables(&pack, image, &header);
	pack.data = arena_alloc(arena, pack.used);
	pack_tables(&pack, image, &header);
	memcpy(pack.data, &header, sizeof(header));
	*size = pack.used;
	return pack.data;
}
