/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PIN_UPSTREAM_H
#define PIN_UPSTREAM_H

/**
 * struct pin - a command as a header has it
 * @name: its name there
 * @ioctl: its number, with type and all
 * @size: of its structure as of that header
 * @min: of the part that every caller has
 */
struct pin {
	const char *name;
	unsigned int ioctl;
	unsigned int size;
	unsigned int min;
};

/**
 * struct pin_value - another number of a header
 * @name: its name there
 * @ours: ours, without prefix
 * @value: the number
 */
struct pin_value {
	const char *name;
	const char *ours;
	unsigned long value;
};

/* Both end with an entry without name, and are that alone without headers. */
extern const struct pin pins[];
extern const struct pin_value pin_values[];

#endif
