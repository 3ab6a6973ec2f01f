/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Aligned columns for people.
 */
#ifndef IOMMUCTL_TABLE_H
#define IOMMUCTL_TABLE_H

#include <stddef.h>

#define TABLE_COLUMNS 12

/**
 * struct table - rows of text
 * @columns: of each row
 * @cells: row after row
 * @count: cells so far
 */
struct table {
	size_t columns;
	char **cells;
	size_t count;
};

/**
 * table_add() - append a cell; a row is full after @table->columns of them
 * @table: the table; zeroed but for @columns before the first
 * @format: as printf(). A cell that begins with a digit and stands under such
 *	cells only is aligned to the right
 */
void table_add(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** table_print() - print all rows to standard output after @indent, and free */
void table_print(struct table *table, const char *indent);

#endif /* IOMMUCTL_TABLE_H */
