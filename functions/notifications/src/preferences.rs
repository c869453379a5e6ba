//! How somebody wants to be told.

use jiff::civil::Time;
use shared::{prelude::*, rule};

/// How somebody is told of a type of things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "they are choices of one person")]
pub struct NotificationChoice {
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is called, in the person's language.
    pub name: String,
    /// In their list, and on their screen when it happens.
    pub screen: bool,
    pub sound: bool,
    /// In one digest of what stays unread for `email_after_minutes`.
    pub email: bool,
    /// On devices where no page is open.
    pub web_push: bool,
}

/// Without sound and web push every day; across midnight where it ends before it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuietTime {
    /// `22:00`
    pub from: String,
    /// `07:00`
    pub until: String,
}

/// How somebody wants to be told. On a break nothing sounds either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotificationPreferences {
    /// Every type there is.
    pub types: Vec<NotificationChoice>,
    pub quiet_hours: Option<QuietTime>,
    /// Where those hours are told: the person's, set with their profile.
    pub time_zone: String,
    pub email_after_minutes: i32,
    /// For `If-Match`; 0 as long as nothing was chosen.
    pub version: i32,
}

impl Versioned for NotificationPreferences {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Somebody's preferences changed, told to them alone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotificationPreferencesSaved {
    pub preferences: NotificationPreferences,
}
event!(NotificationPreferencesSaved = "notification.preferences_saved");

const CHOICES: &str = "
    select types.type as kind, coalesce(types.words -> users.locale, types.words -> 'pt-BR') ->> 'name' as name,
           coalesce((chosen.types -> types.type ->> 'screen')::boolean, types.on_screen) as screen,
           coalesce((chosen.types -> types.type ->> 'sound')::boolean, types.rings) as sound,
           coalesce((chosen.types -> types.type ->> 'email')::boolean, types.by_mail) as email,
           coalesce((chosen.types -> types.type ->> 'web_push')::boolean, types.by_push) as web_push,
           to_char(chosen.quiet_from, 'HH24:MI') as quiet_from, to_char(chosen.quiet_until, 'HH24:MI') as quiet_until,
           users.time_zone, coalesce(chosen.mails_after, 15) as email_after_minutes, coalesce(chosen.version, 0) as version
      from notification_types types
      join users on users.id = app.user_id()
      left join notification_preferences chosen on chosen.user_id = users.id
     order by types.position";

#[derive(FromRow)]
struct Row {
    #[from_row(flatten)]
    choice: NotificationChoice,
    quiet_from: Option<String>,
    quiet_until: Option<String>,
    time_zone: String,
    email_after_minutes: i32,
    version: i32,
}

/// The caller's.
///
/// # Errors
/// Those of the database.
pub async fn read(transaction: &Transaction) -> Result<NotificationPreferences, Error> {
    let rows: Vec<Row> = transaction.all(CHOICES, &[]).await?;
    let Some(first) = rows.first() else { return Err(shared::error::NOT_FOUND.into()) };
    let quiet = first.quiet_from.clone().zip(first.quiet_until.clone());
    Ok(NotificationPreferences {
        quiet_hours: quiet.map(|(from, until)| QuietTime { from, until }),
        time_zone: first.time_zone.clone(),
        email_after_minutes: first.email_after_minutes,
        version: first.version,
        types: rows.into_iter().map(|row| row.choice).collect(),
    })
}

pub const TIME: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

/// A time of the day, `HH:MM`.
pub fn is_time(value: &str, (): &()) -> garde::Result {
    let is_written_so = value.len() == 5 && value.bytes().all(|sign| sign == b':' || sign.is_ascii_digit());
    if is_written_so && Time::strptime("%H:%M", value).is_ok() {
        return Ok(());
    }
    Err(rule("not_a_time", "Uma hora do dia, como 22:00.", "A time of the day, such as 22:00."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_two_digits_each() {
        for good in ["00:00", "07:05", "23:59"] {
            assert!(is_time(good, &()).is_ok(), "{good}");
        }
        for bad in ["", "7:00", "24:00", "22:60", "22:00:00", " 2:00", "2200", "aa:bb", "+7:00"] {
            assert!(is_time(bad, &()).is_err(), "{bad}");
        }
    }
}
