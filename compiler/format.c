// SPDX-License-Identifier: GPL-2.0-only
/*
 * The formatter works on tokens, not on the AST: comments live between tokens,
 * and what the AST has no place for cannot get lost. Tokens and comments become
 * lines, then neighbouring lines are aligned, then all is printed.
 */
#include <stdbool.h>
#include <string.h>

#include "format.h"
#include "parse_context.h"
#include "parser.h"

#define YYSTYPE POLICY_STYPE
#define YYLTYPE POLICY_LTYPE
#include "lexer.h"

#define FORMAT_MAX_HEAD 40 /* columns; a longer condition aligns with nobody */
#define FORMAT_MAX_CODE 64 /* columns; behind more, a comment aligns with nobody */

int scan_token(POLICY_STYPE *value, POLICY_LTYPE *location, void *scanner);

enum format_kind {
	FORMAT_TOKEN,
	FORMAT_COMMENT,
	FORMAT_NEWLINE,
	FORMAT_END, /* of a statement; a newline may have been it */
};

struct format_piece {
	enum format_kind kind;
	int token;
	const char *text;
	size_t length;
	bool is_spread; /* "{" or "}": the group takes several lines */
};

/* Pieces @from up to @to on one line; either part may be missing */
struct format_line {
	size_t from, to;
	const struct format_piece *comment;
	unsigned int indent;
	bool has_blank_before;
	bool is_start; /* of a statement */
	bool is_end;
	unsigned int label_column, arrow_column, comment_column; /* 0: just one blank */
};

struct format {
	FILE *out;
	struct arena *arena;
	struct format_piece *pieces;
	size_t nr_pieces, max_pieces;
	struct format_line *lines;
	size_t nr_lines, max_lines;

	/* While lines are made */
	struct format_line line;
	unsigned int depth; /* of spread groups */
	unsigned int nr_newlines; /* since the last token or comment */
	bool is_statement_open;
};

static void *format_grow(struct format *f, void *list, size_t *max, size_t size)
{
	size_t more = *max ? 2 * *max : 256;
	void *bigger = arena_alloc(f->arena, more * size);

	if (*max)
		memcpy(bigger, list, *max * size);
	*max = more;
	return bigger;
}

/* --- pieces --- */

static void format_add(struct format *f, enum format_kind kind, int token, const char *text,
		       size_t length)
{
	if (f->nr_pieces == f->max_pieces)
		f->pieces = format_grow(f, f->pieces, &f->max_pieces, sizeof(*f->pieces));
	f->pieces[f->nr_pieces++] = (struct format_piece){
		.kind = kind,
		.token = token,
		.text = text,
		.length = length,
	};
}

/* What the lexer skips: blanks, comments, and newlines inside { } */
static void format_add_gap(struct format *f, const char *from, const char *to)
{
	while (from < to) {
		size_t length = 1;

		if (*from == '#') {
			const char *newline = memchr(from, '\n', to - from);

			length = (newline ? newline : to) - from;
			while (strchr(" \t\r", from[length - 1]))
				length--;
			format_add(f, FORMAT_COMMENT, 0, from, length);
		} else if (*from == '\n') {
			format_add(f, FORMAT_NEWLINE, 0, from, 1);
		}
		from += length;
	}
}

static void format_read(struct format *f, const struct source *source)
{
	struct diag diag;
	struct parse_context parse = { .arena = f->arena, .diag = &diag };
	const char *end = source->text;
	POLICY_LTYPE at = { 1, 1, 1, 1, NULL };
	YY_BUFFER_STATE buffer;
	POLICY_STYPE value;
	yyscan_t scanner;
	int token;

	diag_init(&diag, f->arena, source);
	if (scan_lex_init_extra(&parse, &scanner))
		return;
	buffer = scan__scan_buffer(source->text, source->length + 2, scanner);
	while ((token = scan_token(&value, &at, scanner))) {
		const char *text = scan_get_text(scanner);
		size_t length = scan_get_leng(scanner);

		format_add_gap(f, end, text);
		if (token == TOKEN_END_OF_LINE)
			format_add(f, FORMAT_END, 0, text, length);
		else
			format_add(f, FORMAT_TOKEN, token, text, length);
		end = text + length;
		if (token == TOKEN_END_OF_LINE && *text == '\n')
			format_add(f, FORMAT_NEWLINE, 0, text, length);
	}
	format_add_gap(f, end, source->text + source->length);
	scan__delete_buffer(buffer, scanner);
	scan_lex_destroy(scanner);
}

/* A group in { } that holds a newline is spread over lines, with all around it */
static void format_find_spread(struct format *f)
{
	size_t *open = arena_alloc(f->arena, (f->nr_pieces + 1) * sizeof(*open));
	size_t depth = 0;

	for (size_t i = 0; i < f->nr_pieces; i++) {
		struct format_piece *piece = &f->pieces[i];

		if (piece->token == TOKEN_LBRACE) {
			open[depth++] = i;
		} else if (piece->kind == FORMAT_NEWLINE && depth) {
			f->pieces[open[depth - 1]].is_spread = true;
		} else if (piece->token == TOKEN_RBRACE && depth) {
			piece->is_spread = f->pieces[open[--depth]].is_spread;
			if (piece->is_spread && depth)
				f->pieces[open[depth - 1]].is_spread = true;
		}
	}
}

/* --- lines --- */

static void format_end_line(struct format *f)
{
	if (f->line.from == f->line.to && !f->line.comment)
		return;
	if (f->nr_lines == f->max_lines)
		f->lines = format_grow(f, f->lines, &f->max_lines, sizeof(*f->lines));
	f->lines[f->nr_lines++] = f->line;
	f->line = (struct format_line){ 0 };
}

/* The line that a comment behind the last token belongs to; NULL: one of its own */
static struct format_line *format_commented_line(struct format *f)
{
	struct format_line *last = f->nr_lines ? &f->lines[f->nr_lines - 1] : NULL;

	if (f->nr_newlines)
		return NULL;
	if (f->line.from != f->line.to)
		return &f->line;
	return last && !last->comment ? last : NULL;
}

static void format_begin_line(struct format *f, size_t at)
{
	const struct format_piece *before = f->nr_lines ? &f->pieces[at] - 1 : NULL;

	f->line.from = at;
	f->line.to = at;
	f->line.indent = f->is_statement_open && !f->depth ? 1 : f->depth;
	f->line.is_start = !f->is_statement_open;
	while (before && before->kind == FORMAT_NEWLINE)
		before--;
	f->line.has_blank_before = before && f->nr_newlines > 1 &&
				   !(before->token == TOKEN_LBRACE && before->is_spread);
}

static void format_comment(struct format *f, size_t at)
{
	struct format_line *line = format_commented_line(f);

	if (line) {
		line->comment = &f->pieces[at];
	} else {
		format_end_line(f);
		format_begin_line(f, at);
		f->line.comment = &f->pieces[at];
		format_end_line(f);
	}
	f->nr_newlines = 0;
}

static void format_token(struct format *f, size_t at)
{
	const struct format_piece *piece = &f->pieces[at];
	bool is_close = piece->token == TOKEN_RBRACE && piece->is_spread;

	if (is_close) {
		format_end_line(f);
		f->depth--;
	}
	if (f->line.from == f->line.to) {
		format_begin_line(f, at);
		if (is_close) {
			f->line.has_blank_before = false;
			f->line.indent = f->depth;
		}
	} else if (f->line.comment) {
		format_end_line(f);
		format_begin_line(f, at);
	}
	f->line.to = at + 1;
	f->is_statement_open = true;
	f->nr_newlines = 0;
	if (piece->token == TOKEN_LBRACE && piece->is_spread) {
		format_end_line(f);
		f->depth++;
	}
}

static void format_make_lines(struct format *f)
{
	for (size_t i = 0; i < f->nr_pieces; i++) {
		switch (f->pieces[i].kind) {
		case FORMAT_TOKEN:
			format_token(f, i);
			break;
		case FORMAT_COMMENT:
			format_comment(f, i);
			break;
		case FORMAT_NEWLINE:
			f->nr_newlines++;
			/* Inside ( ) only a comment ends a line */
			if (f->depth)
				format_end_line(f);
			break;
		case FORMAT_END:
			f->line.is_end = true;
			f->is_statement_open = false;
			format_end_line(f);
			break;
		}
	}
	f->line.is_end = true;
	format_end_line(f);
}

/* --- columns --- */

static bool format_has_blank(const struct format_piece *a, const struct format_piece *b)
{
	switch (b->token) {
	case TOKEN_COMMA:
	case TOKEN_COLON:
	case TOKEN_DASH:
	case TOKEN_RPAREN:
		return false;
	}
	return a->token != TOKEN_DASH && a->token != TOKEN_LPAREN;
}

/* Width of the tokens from @from up to @to, with the blanks between them */
static unsigned int format_columns(const struct format *f, size_t from, size_t to)
{
	const struct format_piece *last = NULL;
	unsigned int columns = 0;

	for (size_t i = from; i < to; i++) {
		const struct format_piece *piece = &f->pieces[i];

		if (piece->kind != FORMAT_TOKEN)
			continue;
		columns += last && format_has_blank(last, piece);
		for (size_t k = 0; k < piece->length; k++)
			columns += (piece->text[k] & 0xc0) != 0x80;
		last = piece;
	}
	return columns;
}

/* Behind the label, which is where the condition begins */
static size_t format_behind_label(const struct format *f, const struct format_line *line)
{
	if (line->to - line->from > 1 && f->pieces[line->from + 1].token == TOKEN_COLON)
		return line->from + 2;
	return line->from;
}

static size_t format_arrow(const struct format *f, const struct format_line *line)
{
	size_t at = line->from;

	while (at < line->to && f->pieces[at].token != TOKEN_ARROW)
		at++;
	return at;
}

/* A rule on a line of its own, which can align with others */
static bool format_is_aligned(const struct format *f, const struct format_line *line)
{
	size_t arrow = format_arrow(f, line);

	return line->is_start && line->is_end && arrow < line->to &&
	       format_columns(f, line->from, arrow) <= FORMAT_MAX_HEAD;
}

static void format_align_rules(struct format *f, struct format_line *lines, size_t count)
{
	unsigned int label = 0, head = 0, columns;

	for (size_t i = 0; i < count; i++) {
		columns = format_columns(f, lines[i].from, format_behind_label(f, &lines[i]));
		if (columns > label)
			label = columns;
		columns = format_columns(f, format_behind_label(f, &lines[i]),
					 format_arrow(f, &lines[i]));
		if (columns > head)
			head = columns;
	}
	for (size_t i = 0; i < count; i++) {
		lines[i].label_column = label ? label + 1 : 0;
		lines[i].arrow_column = lines[i].label_column + head + 1;
	}
}

static unsigned int format_code_columns(const struct format *f, const struct format_line *line)
{
	size_t arrow = format_arrow(f, line);

	if (!line->arrow_column)
		return 8 * line->indent + format_columns(f, line->from, line->to);
	return line->arrow_column + format_columns(f, arrow, line->to);
}

static bool format_is_commented(const struct format *f, const struct format_line *line)
{
	return line->comment && line->from != line->to &&
	       format_code_columns(f, line) <= FORMAT_MAX_CODE;
}

static void format_align_comments(struct format *f, struct format_line *lines, size_t count)
{
	unsigned int code = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned int columns = format_code_columns(f, &lines[i]);

		if (columns > code)
			code = columns;
	}
	for (size_t i = 0; i < count; i++)
		lines[i].comment_column = code + 2;
}

/* Aligns each run of neighbouring lines that all are of one kind */
static void format_align(struct format *f,
			 bool (*is_kind)(const struct format *f, const struct format_line *line),
			 void (*align)(struct format *f, struct format_line *lines, size_t count))
{
	size_t count;

	for (size_t i = 0; i < f->nr_lines; i += count) {
		count = 1;
		if (!is_kind(f, &f->lines[i]))
			continue;
		while (i + count < f->nr_lines && is_kind(f, &f->lines[i + count]) &&
		       !f->lines[i + count].has_blank_before)
			count++;
		align(f, &f->lines[i], count);
	}
}

/* --- output --- */

static void format_write_blanks(const struct format *f, unsigned int from, unsigned int to)
{
	while (from++ < to)
		putc(' ', f->out);
}

static void format_write(const struct format *f, size_t from, size_t to)
{
	const struct format_piece *last = NULL;

	for (size_t i = from; i < to; i++) {
		const struct format_piece *piece = &f->pieces[i];

		if (piece->kind != FORMAT_TOKEN)
			continue;
		if (last && format_has_blank(last, piece))
			putc(' ', f->out);
		fwrite(piece->text, 1, piece->length, f->out);
		last = piece;
	}
}

static void format_write_rule(const struct format *f, const struct format_line *line)
{
	size_t behind_label = format_behind_label(f, line);
	size_t arrow = format_arrow(f, line);

	format_write(f, line->from, behind_label);
	format_write_blanks(f, format_columns(f, line->from, behind_label), line->label_column);
	format_write(f, behind_label, arrow);
	format_write_blanks(f, line->label_column + format_columns(f, behind_label, arrow),
			    line->arrow_column);
	format_write(f, arrow, line->to);
}

static void format_write_line(const struct format *f, const struct format_line *line)
{
	if (line->has_blank_before)
		putc('\n', f->out);
	for (unsigned int i = 0; i < line->indent; i++)
		putc('\t', f->out);
	if (line->arrow_column)
		format_write_rule(f, line);
	else
		format_write(f, line->from, line->to);

	if (line->comment && line->from != line->to)
		format_write_blanks(f, format_code_columns(f, line),
				    line->comment_column ? line->comment_column
							 : format_code_columns(f, line) + 2);
	if (line->comment)
		fwrite(line->comment->text, 1, line->comment->length, f->out);
	putc('\n', f->out);
}

void format_policy(FILE *out, const struct source *source, struct arena *arena)
{
	struct format f = { .out = out, .arena = arena };

	format_read(&f, source);
	format_find_spread(&f);
	format_make_lines(&f);
	format_align(&f, format_is_aligned, format_align_rules);
	format_align(&f, format_is_commented, format_align_comments);
	for (size_t i = 0; i < f.nr_lines; i++)
		format_write_line(&f, &f.lines[i]);
}
