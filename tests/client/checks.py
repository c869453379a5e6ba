"""What schemathesis checks besides its own: a request that fits the description is refused for the state of the world only."""

import re

import schemathesis

# Where in a list something is, which the fields below do not say.
PLACE = r"\[\d+\]"

# Codes of problems, or of their fields (of one field alone by its name too), that no description can foresee.
STATE_OF_THE_WORLD = {
    # Rows that are not there, or not the caller's: one choice of many in a body.
    "invalid_target", "not_active_staff", "unknown_file", "unknown_message", "unknown_company", "unknown_client", "same_client", "same_person", "unknown_lead", "unknown_stage",
    "unknown_template", "unknown_department", "not_found", "not_published", "unknown_channel", "channel_disabled", "channel_required", "no_phone",
    # What a file is, how many there are.
    "not_a_table", "too_large", "too_many_clients", "too_many_figures", "not_utf8",
    # What was said before.
    "idempotency_key_reused", "client_message_id_reused", "wrong_kind",
    # Bytes that Postgres writes.
    "metadata_too_long",
    # What a value of the bot's has to be hangs on the key in the path, which says it alone.
    "not_of_key", "key two_values", "used_elsewhere",
    # By which words something can be found, and which are the same.
    "too_few_words",
    # What a file's bytes are, and how names of such files end.
    "type_mismatch", "unsafe_content", "name not_allowed", "no_picture", "no_voice_note",
    # What WhatsApp or a server says of a token, and a channel or a server that was never saved.
    "not_accepted", "access_token required", "api_key required", "server required",
    # What kind a channel is, and whether its address changes.
    "not_of_kind", "api_key required",
    # Which addresses lead to a public host, encrypted.
    "invalid_address", "unknown_host", "not_public", "not_encrypted", "mail.host required", "mail.from_address required", "ai.base_url required",
    # Which points are on a curve, what a certificate is.
    "invalid_key", "invalid_certificate",
    # The characters of a document that check the others, an area that there is not.
    "invalid_document", "invalid_phone", "metadata_too_long",
    # What a sample of a webhook shows of where its values stand.
    "yields_no_phone", "yields_nothing", "sample required",
    # The company's own fields of clients and leads, and a pipeline that has a stage of each kind.
    "unknown_field", "stages kind_missing", "unknown_custom_field", "wrong_custom_value", "kind_stays",
    # What only open leads are taken into, who is active staff, whose a row is.
    "not_open", "unknown_sequence", "unknown_user", "another_client", "unknown_type", "unknown_emoji",
    # What breaks the company has, and what an interval is that gets a reason.
    "unknown_reason", "no_break",
    # A password that is easy to guess.
    "password_too_common",
    # What the clock says.
    "in_the_past", "too_late", "in_the_future", "too_long_ago",
    # A name of the time zone database; times and days that do not go together.
    "unknown_time_zone", "inverted", "overlapping", "period", "repeated", "never_open",
    # What is one sign to people.
    "one_emoji",
    # What kind of message is planned.
    "of_template", "message.forward_id not_allowed",
    # What came in by another parameter: parameters cannot be told to exclude each other.
    "not_together", "different_values", "not_below", "lacks_time",
}

# Of what a sequence and a stage do, what one says hangs on what another says.
HANGS_ON_ANOTHER = re.compile(r"(steps|stages\[\]\.automations)\[\]\S* (required|not_allowed)")


@schemathesis.check
def refused_for_the_state_of_the_world_only(context, response, case):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # What follows from an earlier answer may be null where a parameter cannot be.
    if "stateful" in str(case.meta.phase.name).lower():
        return
    if response.status_code not in (400, 413, 415, 422):
        return
    problem = response.json()
    if "errors" not in problem:
        unforeseen = [] if problem["code"] in STATE_OF_THE_WORLD else [problem["code"]]
    else:
        reasons = ((field["code"], f"{re.sub(PLACE, '[]', field['field'])} {field['code']}") for field in problem["errors"])
        unforeseen = [named for code, named in reasons if not ({code, named} & STATE_OF_THE_WORLD or HANGS_ON_ANOTHER.fullmatch(named))]
    assert not unforeseen, f"fits the description and is refused: {', '.join(unforeseen)}"
