//! What people say of themselves, and those who lead them of them: only what is given changes.

use conversations::file_of;
use futures_util::future::try_join3;
use serde::Deserializer;
use shared::{
    VISIBLE,
    error::{FORBIDDEN, FieldProblem, INVALID, NOT_FOUND, STALE},
    files::QUARANTINED,
    known_zone,
    phone::e164,
    prelude::*,
    rule, visible,
};

use crate::{
    given::{Given, at_most},
    own_password::NewPassword,
    user::{USER, User, UserUpdated},
};

pub const NAME_IS_THEIRS: Problem = Problem::new(
    409,
    "name_is_theirs",
    "Só a própria pessoa muda o nome, porque ela também pertence a outra empresa.",
    "Only they change their name, because they belong to another company too.",
);

pub const PASSWORD_IS_THEIRS: Problem = Problem::new(
    403,
    "password_is_theirs",
    "Só a própria pessoa define a senha. Envie a ela um link de redefinição.",
    "Only they set their password. Send them a reset link.",
);

/// Digits with the signs that people write between them.
const PHONE: &str = "^([+]?[0-9][0-9 ().-]{6,22}[0-9])?$";

/// A file of ours, by its id or where it is downloaded.
const FILE: &str = "^(/storage/download/)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// A file that may be named by its download URL.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(transparent, inline)]
pub struct FileLink(#[schemars(with = "String", regex(pattern = FILE))] Uuid);

impl<'de> Deserialize<'de> for FileLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        file_of(&text).map(Self).ok_or_else(|| serde::de::Error::custom("not a file of ours"))
    }
}

/// What may be said of a person: what is given changes, null clears.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = both_passwords)]
pub struct ProfileChange {
    /// Theirs alone once they belong to another company too.
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    #[garde(custom(is_phone))]
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = PHONE))]
    phone: Given<String>,
    #[garde(custom(at_most(80)))]
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 80))]
    position: Given<String>,
    /// What kind of closer; said by those who lead them.
    #[garde(custom(at_most(60)))]
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 60))]
    closer_type: Given<String>,
    /// A picture that the caller has uploaded.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<FileLink>")]
    avatar_file_id: Given<FileLink>,
    /// Said by themselves.
    #[garde(skip)]
    locale: Option<Locale>,
    /// Said by themselves.
    #[garde(inner(custom(known_zone)))]
    #[schemars(length(max = 60))]
    time_zone: Option<String>,
    /// `false` deactivates, `true` lets them in again; done by those who lead them.
    #[garde(skip)]
    is_active: Option<bool>,
    /// A new one for the caller, who gives the present one too; their other logins end.
    #[garde(length(chars, min = 10, max = 128), custom(goes_with(&self.current_password)))]
    password: Option<String>,
    #[garde(length(chars, min = 1, max = 128), custom(goes_with(&self.password)))]
    current_password: Option<String>,
}

fn both_passwords(schema: &mut schemars::Schema) {
    let both = |title: &str, kind: &str, required: Value| {
        let properties = json!({"password": {"type": kind}, "current_password": {"type": kind}});
        json!({"title": title, "type": "object", "required": required, "properties": properties})
    };
    let branches =
        [both("without password", "null", json!([])), both("password", "string", json!(["password", "current_password"]))];
    schema.insert("oneOf".into(), json!(branches));
}

fn goes_with(other: &Option<String>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |password, ()| {
        if password.is_some() == other.is_some() {
            return Ok(());
        }
        Err(rule(
            "not_together",
            "Informe a senha nova com a atual. A de outra pessoa só ela define, por um link de redefinição.",
            "Give the new password with the present one. Only they set another person's, by a reset link.",
        ))
    }
}

impl ProfileChange {
    /// Whether they are to be in or out.
    #[must_use]
    pub fn is_active(&self) -> Option<bool> {
        self.is_active
    }

    /// The password that is set, proved with the present one.
    ///
    /// # Errors
    /// 403 `password_is_theirs` when `person` is not the caller; as `NewPassword::prove`.
    pub async fn new_password(&self, context: &Context, caller: &Identity, person: Uuid) -> Result<Option<NewPassword>, Error> {
        let (Some(new), Some(current)) = (&self.password, &self.current_password) else { return Ok(None) };
        if person != caller.user_id {
            return Err(PASSWORD_IS_THEIRS.into());
        }
        NewPassword::prove(context, caller, current, "password", new).await.map(Some)
    }

    /// As the database takes it.
    fn to_json(&self) -> Value {
        let mut given = Map::new();
        let mut put = |name: &str, value: Option<Value>| value.map(|value| given.insert(name.to_owned(), value));
        let nullable = |field: &Given<String>, write: fn(&str) -> String| match field {
            Given::Kept => None,
            Given::Set(text) if !text.is_empty() => Some(json!(write(text))),
            Given::Set(_) | Given::Cleared => Some(Value::Null),
        };
        put("name", self.name.clone().map(Value::from));
        put("phone", nullable(&self.phone, e164));
        put("position", nullable(&self.position, str::to_owned));
        put("closer_type", nullable(&self.closer_type, str::to_owned));
        put(
            "avatar_file_id",
            match &self.avatar_file_id {
                Given::Kept => None,
                Given::Cleared => Some(Value::Null),
                Given::Set(file) => Some(json!(file.0)),
            },
        );
        put("locale", self.locale.map(|locale| json!(locale)));
        put("time_zone", self.time_zone.clone().map(Value::from));
        given.into()
    }
}

fn is_phone(phone: &Given<String>, (): &()) -> garde::Result {
    let Some(phone) = phone.set() else { return Ok(()) };
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let is_sign = |character: char| matches!(character, '+' | ' ' | '(' | ')' | '-' | '.');
    if phone.is_empty() || (8..=15).contains(&digits) && phone.chars().all(|c| c.is_ascii_digit() || is_sign(c)) {
        return Ok(());
    }
    Err(rule("invalid_phone", "Telefone inválido.", "Invalid phone number."))
}

const SAVE_MEMBER: &str = "select app.save_member($1, $2, $3) as outcome";

const WAITS_FOR_SCANNER: &str = "select from files where id = $1 and uploaded_by = app.user_id() and status = 'quarantined'";

#[derive(FromRow)]
struct Saved {
    outcome: String,
}

/// Writes what is given of a person, and answers them as they are now.
///
/// # Errors
/// 404, 403, 409 `stale_version`, `name_is_theirs` and `file_quarantined`, 422 of a file that is no picture of the caller's; as `Transaction::query`.
pub async fn save(
    transaction: &Transaction,
    caller: &Identity,
    person: Uuid,
    if_match: &IfMatch,
    change: &ProfileChange,
) -> Result<User, Error> {
    let given = change.to_json();
    let (before, saved, user): (Option<User>, Saved, Option<User>) = try_join3(
        transaction.first(USER, &[&person]),
        transaction.one(SAVE_MEMBER, &[&person, &given, &if_match.0]),
        transaction.first(USER, &[&person]),
    )
    .await?;
    let (Some(before), Some(user)) = (before, user) else {
        return Err(NOT_FOUND.into());
    };
    match saved.outcome.as_str() {
        "done" => {}
        "unchanged" => return Ok(user),
        "not_found" => return Err(NOT_FOUND.into()),
        "stale" => return Err(STALE.with_current(&user)),
        "name_is_theirs" => return Err(NAME_IS_THEIRS.into()),
        "bad_avatar" => {
            let file = change.avatar_file_id.set().map(|file| file.0);
            if !transaction.query(WAITS_FOR_SCANNER, &[&file]).await?.is_empty() {
                return Err(QUARANTINED.into());
            }
            let (portuguese, english) = ("Envie antes uma imagem sua.", "Upload a picture of your own first.");
            return Err(INVALID.in_fields(vec![FieldProblem::new("avatar_file_id", "no_picture", portuguese, english)]));
        }
        _ => return Err(FORBIDDEN.into()),
    }
    if caller.role.is_staff() {
        transaction.tell_staff(&UserUpdated { user: &user });
    }
    transaction.audit(person, &before, &user);
    Ok(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> Result<ProfileChange, String> {
        let change: ProfileChange = serde_json::from_value(value).map_err(|error| error.to_string())?;
        change.validate().map_err(|report| report.to_string())?;
        Ok(change)
    }

    #[test]
    fn only_what_is_given_changes_and_null_clears() {
        let change = read(json!({"phone": "+55 (11) 98765-4321", "position": null, "closer_type": ""})).unwrap();
        assert_eq!(change.to_json(), json!({"phone": "+5511987654321", "position": null, "closer_type": null}));
        assert_eq!(read(json!({})).unwrap().to_json(), json!({}));
        assert_eq!(read(json!({"name": null})).unwrap().to_json(), json!({}));
    }

    #[test]
    fn a_picture_is_named_by_its_id_or_its_download() {
        let id = Uuid::from_u128(7);
        for link in [id.to_string(), format!("/storage/download/{id}"), format!("/api/v1/storage/download/{id}")] {
            let change = read(json!({"avatar_file_id": link})).unwrap();
            assert_eq!(change.to_json(), json!({"avatar_file_id": id}));
        }
        assert_eq!(read(json!({"avatar_file_id": null})).unwrap().to_json(), json!({"avatar_file_id": null}));
        for foreign in ["https://example.org/a.png", "", "x"] {
            assert!(read(json!({"avatar_file_id": foreign})).is_err(), "{foreign}");
        }
    }

    #[test]
    fn numbers_zones_and_languages_are_known_ones() {
        for wrong in [
            json!({"phone": "ramal 12"}),
            json!({"phone": "123"}),
            json!({"phone": "1234567890123456"}),
            json!({"time_zone": "Brasil/Lua"}),
            json!({"time_zone": ""}),
            json!({"locale": "fr"}),
            json!({"role": "admin"}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        read(json!({"time_zone": "America/Noronha", "locale": "en"})).unwrap();
    }
}
