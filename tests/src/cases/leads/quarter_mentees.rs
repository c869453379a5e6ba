//! The mentees of the quarter: what they earn month by month, told by two people at once, and what they say of it.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{
    Company, Stack,
    company::{Person, text},
};

use super::quarter::{Dice, surely};
use crate::cases::{
    faults::kill,
    mentees::{begun, month, written},
};

/// Months that are told, the present one the last.
const MONTHS: i32 = 4;

/// A mentee as those who mentor them know them.
pub struct Mentored {
    id: String,
    /// In cents, of each month from the first on.
    revenues: Vec<i64>,
    /// By how much it grew in each but the first, in tenths of what it was.
    growths: Vec<i64>,
    /// What they gave.
    figures: Vec<i64>,
}

/// Two of each closer, with what they earned in the month before the quarter.
pub async fn begin(company: &Company) -> Vec<Mentored> {
    let mut mentored = Vec::new();
    for (number, mentor) in (0..).zip(company.agents.iter().chain(&company.agents)) {
        let id = begun(mentor, &[]).await;
        let revenue = 1_000_000 * (1 + number);
        surely(mentor, &format!("/mentees/{id}/evolution"), told(1 - MONTHS, revenue)).await;
        mentored.push(Mentored { id, revenues: vec![revenue], growths: Vec::new(), figures: Vec::new() });
    }
    mentored
}

fn told(later: i32, cents: i64) -> Value {
    let (year, month) = month(later);
    json!({"year": year, "month": month, "revenue": written_amount(cents)})
}

fn written_amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A month of all of them. Mentor and supervisor tell of it in the same moment, one also of the team, and the function that writes it is killed.
pub async fn next_month(stack: &Arc<Stack>, company: &Company, mentored: &mut [Mentored], dice: &mut Dice) {
    let mentors = company.agents.iter().chain(&company.agents);
    let telling = mentored.iter_mut().zip(mentors).map(|(mentee, mentor)| {
        let growth = [-2, -1, 0, 1, 2, 5][dice.roll(6)];
        let later = 1 - MONTHS + i32::try_from(mentee.revenues.len()).unwrap_or_default();
        let revenue = mentee.revenues.last().copied().unwrap_or_default() / 10 * (10 + growth);
        mentee.revenues.push(revenue);
        mentee.growths.push(growth);
        mentee.figures.push(i64::try_from(dice.roll(11)).unwrap_or_default());
        tell(company, mentor, mentee, later)
    });
    join(join_all(telling.collect::<Vec<_>>()), kill(stack, "SaveMenteeEvolution")).await;
}

async fn tell(company: &Company, mentor: &Person, mentee: &Mentored, later: i32) {
    let path = format!("/mentees/{}", mentee.id);
    let revenue = told(later, mentee.revenues.last().copied().unwrap_or_default());
    let mut team = revenue.clone();
    team["team"] = json!(7);
    let feedback = json!({"nps": mentee.figures.last()});
    let evolution = format!("{path}/evolution");
    join(surely(mentor, &evolution, revenue), surely(&company.supervisor, &evolution, team)).await;
    surely(mentor, &format!("{path}/feedback"), feedback).await;
}

/// One decimal, halves away from zero.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn mean(sum: i64, count: usize) -> f64 {
    (10.0 * sum as f64 / count as f64).round() / 10.0
}

/// Rows and dashboard are what was told.
pub async fn are_told_as_they_were(company: &Company, mentored: &[Mentored]) {
    for mentee in mentored {
        let listed = company.supervisor.api.get(&format!("/mentees/{}/evolution", mentee.id)).await.expect(200);
        let months: Vec<_> =
            listed["data"].as_array().into_iter().flatten().map(|row| (text(&row["revenue"]), row["team"].as_i64())).collect();
        let revenues: Vec<String> = mentee.revenues.iter().map(|cents| written_amount(*cents)).collect();
        let expected: Vec<_> =
            revenues.iter().enumerate().map(|(place, revenue)| (revenue.as_str(), (place > 0).then_some(7))).collect();
        assert_eq!(months, expected, "each month once, with what both told of it");
    }
    let dashboard = company.admin.api.get(&format!("/mentees/dashboard?period={MONTHS}")).await.expect(200);
    let expected: Vec<Value> = (0..MONTHS)
        .map(|place| {
            let at = usize::try_from(place).unwrap_or_default();
            let revenue = mentored.iter().map(|mentee| mentee.revenues[at]).sum();
            let growths: Option<i64> = (at > 0).then(|| mentored.iter().map(|mentee| 10 * mentee.growths[at - 1]).sum());
            let growth = growths.map(|sum| mean(sum, mentored.len()));
            json!({"month": written(month(1 - MONTHS + place)), "revenue": written_amount(revenue), "growth": growth})
        })
        .collect();
    assert_eq!(dashboard["growth"], json!(expected));
    let figures: Vec<i64> = mentored.iter().flat_map(|mentee| mentee.figures.clone()).collect();
    let of =
        |from: i64, to: i64| i64::try_from(figures.iter().filter(|figure| (from..=to).contains(*figure)).count()).unwrap_or(0);
    let (promoters, detractors) = (of(9, 10), of(0, 6));
    let satisfaction = &dashboard["satisfaction"];
    assert_eq!(satisfaction["nps"], json!(mean(100 * (promoters - detractors), figures.len())));
    assert_eq!(
        (&satisfaction["promoters"], &satisfaction["passives"], &satisfaction["detractors"], &satisfaction["answers"]),
        (&json!(promoters), &json!(of(7, 8)), &json!(detractors), &json!(figures.len()))
    );
}
