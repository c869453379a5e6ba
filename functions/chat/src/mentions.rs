//! Who is meant by a message.

use shared::{
    error::{FieldProblem, refuse},
    prelude::*,
};

pub const MANY_MENTIONED: Problem = Problem::new(
    409,
    "many_mentioned",
    "Muita gente será avisada. Confirme para enviar.",
    "Many people will be told. Confirm to send it.",
)
.showing::<ManyMentioned>();

/// More people than these are told only when that is confirmed.
pub const FEW: i64 = 30;

/// How many would be told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ManyMentioned {
    pub people: i64,
}

/// Who is mentioned, beside what the text says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mentions {
    /// Active staff of this company. Those who are not in the channel are not told; the answer names them.
    #[garde(length(max = 50))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_ids: Vec<Uuid>,
    /// Their members who are in the channel.
    #[garde(length(max = 20))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub department_ids: Vec<Uuid>,
    /// Everybody in the channel.
    #[garde(skip)]
    #[serde(skip_serializing_if = "is_false")]
    pub channel: bool,
    /// Who of them is online.
    #[garde(skip)]
    #[serde(skip_serializing_if = "is_false")]
    pub here: bool,
}

/// Who is mentioned.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ShownMentions {
    user_ids: Vec<Uuid>,
    department_ids: Vec<Uuid>,
    channel: bool,
    here: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Mentions {
    /// Each once.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for ids in [&mut self.user_ids, &mut self.department_ids] {
            ids.sort_unstable();
            ids.dedup();
        }
        self
    }

    fn names_nobody(&self) -> bool {
        *self == Self::default()
    }
}

const JUDGE: &str = "
    select app.no_colleagues($2) as strangers,
           array(select wanted from unnest($3::uuid[]) wanted
                  where not exists (select from departments where departments.id = wanted and deleted_at is null)) as unknown_departments,
           array(select wanted from unnest($2::uuid[]) wanted
                  where not exists (select from app.channel_people(array[$1::uuid]) people where people.user_id = wanted)) as outside,
           (select count(*) from app.mentioned($1, app.mention_ways($4)) where user_id <> app.user_id()) as people";

#[derive(FromRow)]
struct Judged {
    strangers: Vec<Uuid>,
    unknown_departments: Vec<Uuid>,
    outside: Vec<Uuid>,
    people: i64,
}

/// Judges whom a message mentions. Answers who of them is not in the channel, and so is not told.
///
/// # Errors
/// 422 for who is not of this company's staff, 409 where many are told and nobody has confirmed it.
pub async fn judge_mentions(
    transaction: &Transaction,
    channel_id: Uuid,
    mentions: &Mentions,
    confirmed: bool,
) -> Result<Vec<Uuid>, Error> {
    if mentions.names_nobody() {
        return Ok(Vec::new());
    }
    let Mentions { user_ids, department_ids, channel, here } = mentions;
    let judged: Judged = transaction.one(JUDGE, &[&channel_id, user_ids, department_ids, &json!(mentions)]).await?;
    let among = |ids: &[Uuid], wrong: &[Uuid]| -> Vec<usize> {
        ids.iter().enumerate().filter(|(_, id)| wrong.contains(id)).map(|(place, _)| place).collect()
    };
    let strangers = among(user_ids, &judged.strangers).into_iter();
    let unknown = among(department_ids, &judged.unknown_departments).into_iter();
    let strangers = strangers.map(|place| FieldProblem::not_active_staff(format!("mentions.user_ids[{place}]")));
    let unknown = unknown.map(|place| {
        let field = format!("mentions.department_ids[{place}]");
        FieldProblem::new(field, "not_found", "Departamento não encontrado.", "No such department.")
    });
    refuse(strangers.chain(unknown))?;
    let is_broad = *channel || *here || !department_ids.is_empty();
    if is_broad && judged.people > FEW && !confirmed {
        return Err(MANY_MENTIONED.with_current(&ManyMentioned { people: judged.people }));
    }
    Ok(judged.outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_mentioned_is_stored() {
        assert_eq!(json!(Mentions::default()), json!({}));
        let here = Mentions {
            here: true,
            user_ids: vec![Uuid::from_u128(2), Uuid::from_u128(1), Uuid::from_u128(2)],
            ..Default::default()
        };
        assert_eq!(json!(here.sorted()), json!({"here": true, "user_ids": [Uuid::from_u128(1), Uuid::from_u128(2)]}));
    }
}
