// SPDX-License-Identifier: GPL-2.0-only
/* Messages for programs: the format is described in ublkpolc(1) */
#include "diag.h"
#include "json.h"

#define DIAG_JSON_VERSION 1

/* The members that say where; a message about the file as a whole has only "file" */
static void diag_json_location(struct json *json, const struct diag *diag,
			       const struct location *at)
{
	json_string(json, "file", at->source ? at->source->name : diag->source->name);
	if (!at->first_line)
		return;
	json_number(json, "line", at->first_line);
	json_number(json, "column", at->first_column);
	json_number(json, "end_line", at->last_line);
	json_number(json, "end_column", at->last_column);
}

static void diag_json_message(struct json *json, const struct diag *diag,
			      const struct diag_message *message)
{
	json_begin_object(json, NULL);
	json_string(json, "level", message->is_error ? "error" : "warning");
	if (message->check)
		json_string(json, "check", message->check);
	json_string(json, "text", message->text);
	if (message->hint)
		json_string(json, "hint", message->hint);
	diag_json_location(json, diag, &message->location);

	json_begin_array(json, "places");
	for (const struct diag_place *place = message->places; place; place = place->next) {
		json_begin_object(json, NULL);
		diag_json_location(json, diag, &place->location);
		json_string(json, "text", place->text);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

void diag_print_json(const struct diag *diag, FILE *out)
{
	struct json json;

	json_init(&json, out);
	json_begin_object(&json, NULL);
	json_number(&json, "version", DIAG_JSON_VERSION);
	json_number(&json, "errors", diag->nr_errors);
	json_number(&json, "warnings", diag->nr_warnings);
	json_begin_array(&json, "messages");
	for (const struct diag_message **message = diag_sort(diag); *message; message++)
		diag_json_message(&json, diag, *message);
	json_end_array(&json);
	json_end_object(&json);
}
