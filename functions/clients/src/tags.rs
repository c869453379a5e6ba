//! The catalogue of tags that clients and conversations have.

use shared::{prelude::*, rule};

pub const TAG_NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe uma etiqueta com este nome.", "A tag with this name exists already.")
        .showing::<Option<Tag>>();

/// Colours as front ends write them.
pub const COLOUR: &str = "^#[0-9A-Fa-f]{6}$";

/// A tag. What is put on a client or a conversation by a name that is not here yet is added, in grey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
pub struct Tag {
    pub id: Uuid,
    /// The only one with this name, whatever the case and the accents.
    pub name: String,
    /// Such as `#8a8f98`.
    pub colour: String,
    pub created_at: Timestamp,
    pub version: i32,
}

impl Versioned for Tag {
    fn version(&self) -> i32 {
        self.version
    }
}

pub const TAG: &str = "select id, name, colour, created_at, version from tags where id = $1";

pub const TAG_WITH_NAME: &str = "select id, name, colour, created_at, version from tags where app.look(name) = app.look($1)";

/// What has the tag comes before the tag in the order of locks.
pub const HOLD_TAGGED: &str = "select app.hold_tagged($1)::text";

pub const LOCK_TAG: &str = "select from tags where id = $1 for update";

/// The rule of a colour.
///
/// # Errors
/// Of what is none.
pub fn is_colour(colour: &str, (): &()) -> garde::Result {
    let is_hexadecimal = |digits: &str| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if colour.strip_prefix('#').is_some_and(is_hexadecimal) {
        return Ok(());
    }
    Err(rule("pattern", "Use uma cor como #8a8f98.", "Use a colour such as #8a8f98."))
}

/// There is a new tag.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TagCreated<'tag> {
    pub tag: &'tag Tag,
}

event!(TagCreated<'_> = "tag.created");

/// A tag has another name or colour; everything that had it has it under the new name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TagUpdated<'tag> {
    pub tag: &'tag Tag,
    pub previous_name: &'tag str,
}

event!(TagUpdated<'_> = "tag.updated");

/// A tag is gone, also from everything that had it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TagDeleted<'tag> {
    pub tag_id: Uuid,
    pub name: &'tag str,
}

event!(TagDeleted<'_> = "tag.deleted");
