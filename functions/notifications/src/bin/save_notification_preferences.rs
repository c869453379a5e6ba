//! PUT /notifications/preferences — changes what is given of how the caller wants to be told.

use std::collections::BTreeMap;

use futures_util::future::join;
use notifications::preferences::{NotificationPreferences, NotificationPreferencesSaved, QuietTime, TIME, is_time, read};
use shared::{
    error::{FieldProblem, STALE, refuse},
    prelude::*,
    rule,
};
use team::given::Given;

const ROUTE: Route = Route::put("/notifications/preferences")
    .or(&["PATCH /notifications/preferences"])
    .fails(&[STALE.showing::<NotificationPreferences>()]);

/// What is given of a type changes.
#[derive(Deserialize, Serialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct WantedChoice {
    #[serde(skip_serializing_if = "Option::is_none")]
    screen: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_push: Option<bool>,
}

/// From a time of the day until another.
#[derive(PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WantedQuietTime {
    #[garde(custom(is_time))]
    #[schemars(regex(pattern = TIME))]
    from: String,
    #[garde(custom(is_time), custom(differs(&self.from)))]
    #[schemars(regex(pattern = TIME))]
    until: String,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WantedNotificationPreferences {
    /// By type.
    #[garde(length(max = 60), dive)]
    #[serde(default)]
    types: BTreeMap<String, WantedChoice>,
    /// Null is none.
    #[garde(dive)]
    #[serde(default)]
    #[schemars(with = "Option<WantedQuietTime>")]
    quiet_hours: Given<WantedQuietTime>,
    #[garde(range(min = 1, max = 1440))]
    email_after_minutes: Option<i32>,
}

/// No row when it was changed meanwhile.
const SAVE: &str = "
    insert into notification_preferences as own (types, quiet_from, quiet_until, mails_after)
    values ($1, $3::text::time, $4::text::time, coalesce($5, 15))
    on conflict (company_id, user_id) do update
       set types = own.types || coalesce((select jsonb_object_agg(key, coalesce(own.types -> key, '{}') || value) from jsonb_each($1)), '{}'),
           quiet_from = case when $2 then excluded.quiet_from else own.quiet_from end,
           quiet_until = case when $2 then excluded.quiet_until else own.quiet_until end,
           mails_after = coalesce($5, own.mails_after), version = own.version + 1
     where own.version = $6
    returning version";

pub fn main() {
    serve(&ROUTE, save_notification_preferences);
}

async fn save_notification_preferences(
    context: Context,
    caller: Member,
    if_match: IfMatch,
    Json(input): Json<WantedNotificationPreferences>,
) -> Result<Json<NotificationPreferences>, Error> {
    let transaction = context.begin(&caller).await?;
    let current = read(&transaction).await?;
    if_match.check(&current)?;
    refuse(unknown(&current, &input))?;
    if wanted(&current, &input) == current {
        return transaction.commit(Json(current)).await;
    }
    let WantedNotificationPreferences { types, quiet_hours, email_after_minutes } = input;
    let is_given = quiet_hours != Given::Kept;
    let (from, until) = quiet_hours.set().map(|quiet| (quiet.from.clone(), quiet.until.clone())).unzip();
    let types = json!(types);
    let (saved, preferences) = join(
        transaction.query(SAVE, &[&types, &is_given, &from, &until, &email_after_minutes, &current.version]),
        read(&transaction),
    )
    .await;
    let preferences = preferences?;
    if saved?.is_empty() {
        return Err(STALE.with_current(&preferences));
    }
    let payload = NotificationPreferencesSaved { preferences: preferences.clone() };
    transaction.tell_person(caller.user_id, &payload);
    transaction.audit(caller.user_id, &current, &preferences);
    transaction.commit(Json(preferences)).await
}

/// As it is to be.
fn wanted(current: &NotificationPreferences, input: &WantedNotificationPreferences) -> NotificationPreferences {
    let mut wanted = current.clone();
    for choice in &mut wanted.types {
        let Some(given) = input.types.get(&choice.kind) else { continue };
        let pairs = [
            (&mut choice.screen, given.screen),
            (&mut choice.sound, given.sound),
            (&mut choice.email, given.email),
            (&mut choice.web_push, given.web_push),
        ];
        for (value, given) in pairs {
            *value = given.unwrap_or(*value);
        }
    }
    wanted.quiet_hours = match &input.quiet_hours {
        Given::Kept => wanted.quiet_hours,
        Given::Cleared => None,
        Given::Set(quiet) => Some(QuietTime { from: quiet.from.clone(), until: quiet.until.clone() }),
    };
    wanted.email_after_minutes = input.email_after_minutes.unwrap_or(wanted.email_after_minutes);
    wanted
}

fn unknown<'a>(
    current: &'a NotificationPreferences,
    input: &'a WantedNotificationPreferences,
) -> impl Iterator<Item = FieldProblem> + 'a {
    let is_unknown = |kind: &&String| !current.types.iter().any(|choice| choice.kind == **kind);
    input
        .types
        .keys()
        .filter(is_unknown)
        .map(|kind| FieldProblem::new(format!("types.{kind}"), "unknown_type", "Não existe este tipo.", "There is no such type."))
}

fn differs(from: &str) -> impl FnOnce(&str, &()) -> garde::Result {
    move |until, ()| {
        if until == from {
            return Err(rule(
                "no_time",
                "O fim deve ser outra hora que o início.",
                "The end must be another time than the start.",
            ));
        }
        Ok(())
    }
}
