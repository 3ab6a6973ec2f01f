// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommuctl.h"
#include "table.h"

void table_add(struct table *table, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table->cells = xgrow(table->cells, table->count, sizeof(char *));
	table->cells[table->count++] = xasprintf("%s", text);
}

/* Numbers and sizes go to the right; PCI functions look like them, but do not. */
static bool is_number(const char *cell)
{
	return !*cell || !strcmp(cell, "-") ||
	       (isdigit((unsigned char)*cell) && !strchr(cell, ':') &&
		strncmp(cell, "0x", 2));
}

static void measure(const struct table *table, size_t column, int *width,
		    bool *right)
{
	bool digits = false;
	size_t i;

	*width = 0;
	*right = true;
	for (i = column; i < table->count; i += table->columns) {
		if ((int)strlen(table->cells[i]) > *width)
			*width = (int)strlen(table->cells[i]);
		/* The first row is the heading. */
		if (i < table->columns)
			continue;
		if (!is_number(table->cells[i]))
			*right = false;
		digits |= isdigit((unsigned char)*table->cells[i]);
	}
	if (!digits)
		*right = false;
}

void table_print(struct table *table, const char *indent)
{
	int width[TABLE_COLUMNS];
	bool right[TABLE_COLUMNS];
	size_t i, column;

	for (column = 0; column < table->columns; column++)
		measure(table, column, &width[column], &right[column]);

	for (i = 0; i < table->count; i++) {
		column = i % table->columns;
		if (!column)
			fputs(indent, stdout);
		if (column == table->columns - 1 && !right[column])
			printf("%s", table->cells[i]);
		else
			printf("%*s", right[column] ? width[column] : -width[column],
			       table->cells[i]);
		fputs(column == table->columns - 1 ? "\n" : "  ", stdout);
		free(table->cells[i]);
	}
	free(table->cells);
	table->cells = NULL;
	table->count = 0;
}
