//! What a model says of a lead's budget, authority, need and time, held against the words that it says it is taken from. Pure.

use std::str::FromStr;

use jiff::civil::Date;
use scores::{AuthorityLevel, NeedLevel};
use shared::{ai::Mask, closed_set, money::Money, prelude::*, text::folded};

/// Characters of a line that are read.
const LONGEST_LINE: usize = 1_500;

/// Of one value.
const MOST_QUOTES: usize = 3;

/// Letters and figures that a quote has at least: less stands anywhere.
const SHORTEST_QUOTE: usize = 2;

closed_set! {
    /// Whose words a line is.
    pub Voice {
        Client = "client",
        Agent = "agent",
        Bot = "bot",
        /// What somebody of staff has written down.
        Note = "note",
    }
}

/// Something that was said to or of a lead.
#[derive(Clone, Debug, FromRow)]
pub struct Line {
    pub id: Uuid,
    pub voice: Voice,
    pub text: String,
    pub at: Timestamp,
}

closed_set! {
    /// What is proposed.
    #[schemars(rename = "QualificationField")]
    pub Field {
        BudgetConfirmed = "budget_confirmed",
        BudgetAmount = "budget_amount",
        AuthorityLevel = "authority_level",
        NeedLevel = "need_level",
        DecidesBy = "decides_by",
    }
}

/// As the model says it.
#[derive(Debug, Deserialize)]
pub struct Said {
    values: Vec<SaidValue>,
}

#[derive(Debug, Deserialize)]
struct SaidValue {
    field: String,
    value: String,
    quotes: Vec<SaidQuote>,
}

#[derive(Debug, Deserialize)]
struct SaidQuote {
    line: i64,
    quote: String,
}

/// What is proposed: nothing of what nobody has said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ProposedQualification")]
pub struct Proposed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_confirmed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority_level: Option<AuthorityLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need_level: Option<NeedLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub decides_by: Option<Date>,
}

/// Words that a value is taken from, as they stand in a message or in something that was written down.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ProposedQuote")]
pub struct Quote {
    pub field: Field,
    pub message_id: Option<Uuid>,
    pub interaction_id: Option<Uuid>,
    pub quote: String,
}

/// What holds of what a model has said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    pub proposed: Proposed,
    pub quotes: Vec<Quote>,
    /// How many values do not.
    pub dropped: i32,
}

/// The lines as a model reads them, with names for personal data.
#[must_use]
pub fn told(lines: &[Line], mask: &mut Mask) -> Vec<String> {
    let text = |line: &Line| mask.hide(&line.text.chars().take(LONGEST_LINE).collect::<String>());
    lines.iter().map(text).collect()
}

/// Holds each value against the lines: its quotes stand there, one of them is the client's or the staff's own, an amount is written in them, and a day is
/// still to come.
#[must_use]
pub fn judge(said: Said, lines: &[Line], (told, mask): (&[String], &Mask), today: Date) -> Judged {
    let mut judged = Judged::default();
    for SaidValue { field, value, quotes } in said.values {
        let held = field.parse::<Field>().ok().and_then(|field| {
            let quotes: Option<Vec<(&Line, String)>> =
                quotes.iter().take(MOST_QUOTES).map(|quote| standing(quote, lines, (told, mask))).collect();
            let quotes = quotes?;
            let is_theirs = quotes.iter().any(|(line, _)| matches!(line.voice, Voice::Client | Voice::Note));
            (is_theirs && judged.proposed.take(field, value.trim(), &quotes, today)).then_some((field, quotes))
        });
        match held {
            Some((field, quotes)) => judged.quotes.extend(quotes.into_iter().map(|(line, quote)| {
                let (message_id, interaction_id) =
                    if line.voice == Voice::Note { (None, Some(line.id)) } else { (Some(line.id), None) };
                Quote { field, message_id, interaction_id, quote }
            })),
            None => judged.dropped += 1,
        }
    }
    judged
}

/// The line in which a quote stands, both as the model has read it and as it was written; with its own words.
fn standing<'a>(
    SaidQuote { line, quote }: &SaidQuote,
    lines: &'a [Line],
    (told, mask): (&[String], &Mask),
) -> Option<(&'a Line, String)> {
    let place = usize::try_from(line - 1).ok()?;
    let (line, told) = (lines.get(place)?, told.get(place)?);
    let is_long_enough = quote.chars().filter(|sign| sign.is_alphanumeric()).count() >= SHORTEST_QUOTE;
    let shown = spaced(&mask.show(quote));
    let stands = is_long_enough && spaced(told).contains(&spaced(quote)) && spaced(&folded(&line.text)).contains(&folded(&shown));
    stands.then_some((line, shown))
}

/// With one space between words.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Proposed {
    /// Takes a value, the first one of its field, where it is one and its quotes bear it; false where not.
    fn take(&mut self, field: Field, value: &str, quotes: &[(&Line, String)], today: Date) -> bool {
        match field {
            Field::BudgetConfirmed => put(&mut self.budget_confirmed, bool::from_str(value).ok()),
            Field::BudgetAmount => {
                let amount = Money::from_str(value).ok();
                let is_written = |amount: &Money| quotes.iter().any(|(_, quote)| amounts(quote).contains(&amount.as_cents()));
                put(&mut self.budget_amount, amount.filter(is_written))
            }
            Field::AuthorityLevel => {
                put(&mut self.authority_level, value.parse().ok().filter(|known| *known != AuthorityLevel::Unknown))
            }
            Field::NeedLevel => put(&mut self.need_level, value.parse().ok().filter(|known| *known != NeedLevel::Unknown)),
            Field::DecidesBy => {
                let is_to_come = |date: &Date| *date >= today && date.year() <= today.year() + 5;
                put(&mut self.decides_by, Date::from_str(value).ok().filter(is_to_come))
            }
        }
    }
}

fn put<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_first = place.is_none() && value.is_some();
    if is_first {
        *place = value;
    }
    is_first
}

/// The sums that a text gives in figures, in hundredths: `R$ 4.500,00`, `4500`, `4,5 mil`, `5k`.
fn amounts(text: &str) -> Vec<u64> {
    let text = text.to_lowercase();
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|sign: char| sign.is_ascii_digit()) {
        let figures = &rest[start..];
        let end = figures.find(|sign: char| !(sign.is_ascii_digit() || sign == '.' || sign == ',')).unwrap_or(figures.len());
        let (number, after) = figures.split_at(end);
        let unit: String = after.trim_start_matches([' ', '\u{a0}']).chars().take_while(|sign| sign.is_alphabetic()).collect();
        let times = match unit.as_str() {
            "mil" | "k" => 1_000,
            "mi" | "milhão" | "milhões" | "milhao" | "milhoes" => 1_000_000,
            _ => 1,
        };
        found.extend(
            thousandths(number.trim_matches(['.', ','])).and_then(|amount| amount.checked_mul(times)).map(|amount| amount / 10),
        );
        rest = after;
    }
    found
}

/// A number as it is written here: a comma before decimals, points between thousands; one point before one or two figures counts as a comma.
fn thousandths(number: &str) -> Option<u64> {
    let (whole, decimals) = match (number.rsplit_once(','), number.rsplit_once('.')) {
        (Some((whole, decimals)), _) => (whole, decimals),
        (None, Some((whole, decimals))) if decimals.len() != 3 => (whole, decimals),
        _ => (number, ""),
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (whole, decimals) = (digits(whole), digits(decimals));
    let decimals: String = decimals.chars().chain("000".chars()).take(3).collect();
    (whole.len() <= 12).then(|| format!("{whole}{decimals}").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 30);

    fn line(number: u128, voice: Voice, text: &str) -> Line {
        Line { id: Uuid::from_u128(number), voice, text: text.to_owned(), at: Timestamp::UNIX_EPOCH }
    }

    fn talk() -> Vec<Line> {
        vec![
            line(1, Voice::Client, "Tenho até R$ 4.500,00   para isso.\nPreciso já, meu CPF é 529.982.247-25"),
            line(2, Voice::Agent, "O curso custa R$ 9.000,00"),
            line(3, Voice::Note, "Decide com a sócia até 15/12"),
        ]
    }

    fn judged(values: Value) -> Judged {
        let (lines, mut mask) = (talk(), Mask::new(true));
        let told = told(&lines, &mut mask);
        judge(serde_json::from_value(json!({"values": values})).unwrap(), &lines, (&told, &mask), TODAY)
    }

    fn value(field: &str, value: &str, line: i64, quote: &str) -> Value {
        json!({"field": field, "value": value, "quotes": [{"line": line, "quote": quote}]})
    }

    #[test]
    fn what_stands_where_it_is_said_to_is_proposed() {
        let held = judged(json!([
            value("budget_amount", "4500.00", 1, "até R$ 4.500,00 para isso"),
            value("need_level", "high", 1, "Preciso já, meu CPF é [CPF_1]"),
            value("decides_by", "2026-12-15", 3, "até 15/12"),
        ]));
        let proposed = Proposed {
            budget_amount: Some(Money::cents(450_000)),
            need_level: Some(NeedLevel::High),
            decides_by: Some(jiff::civil::date(2026, 12, 15)),
            ..Proposed::default()
        };
        assert_eq!((held.proposed, held.dropped), (proposed, 0));
        assert_eq!(held.quotes[1].quote, "Preciso já, meu CPF é 529.982.247-25");
        assert_eq!((held.quotes[0].message_id, held.quotes[0].interaction_id), (Some(Uuid::from_u128(1)), None));
        assert_eq!((held.quotes[2].message_id, held.quotes[2].interaction_id), (None, Some(Uuid::from_u128(3))));
    }

    #[test]
    fn what_does_not_is_dropped() {
        for wrong in [
            value("need_level", "high", 1, "Preciso muito"),
            value("need_level", "high", 2, "Preciso já"),
            value("need_level", "high", 0, "Preciso já"),
            value("need_level", "high", 9, "Preciso já"),
            value("need_level", "high", i64::MIN + 1, "Preciso já"),
            value("need_level", "high", 1, ""),
            value("need_level", "high", 1, " . "),
            value("need_level", "unknown", 1, "Preciso já"),
            value("need_level", "urgent", 1, "Preciso já"),
            value("name", "Ana", 1, "Preciso já"),
            value("budget_confirmed", "sim", 1, "Tenho até"),
            value("budget_amount", "9000.00", 2, "R$ 9.000,00"),
            value("budget_amount", "5000.00", 1, "R$ 4.500,00"),
            value("budget_amount", "-1", 1, "R$ 4.500,00"),
            value("decides_by", "2026-11-29", 3, "até 15/12"),
            value("decides_by", "2099-12-15", 3, "até 15/12"),
            value("decides_by", "15/12", 3, "até 15/12"),
            json!({"field": "need_level", "value": "high", "quotes": []}),
            json!({"field": "need_level", "value": "high",
                   "quotes": [{"line": 1, "quote": "Preciso já"}, {"line": 1, "quote": "nunca dito"}]}),
        ] {
            let held = judged(json!([wrong.clone()]));
            assert_eq!(held, Judged { dropped: 1, ..Judged::default() }, "{wrong}");
        }
    }

    #[test]
    fn of_two_values_of_a_field_the_first_counts() {
        let held = judged(json!([value("need_level", "high", 1, "Preciso já"), value("need_level", "low", 1, "Preciso já")]));
        assert_eq!((held.proposed.need_level, held.dropped, held.quotes.len()), (Some(NeedLevel::High), 1, 1));
    }

    #[test]
    fn sums_are_read_as_they_are_written() {
        for (text, sums) in [
            ("R$ 4.500,00", vec![450_000]),
            ("4500", vec![450_000]),
            ("4.500", vec![450_000]),
            ("4500.50", vec![450_050]),
            ("1.234.567,8", vec![123_456_780]),
            ("uns 4,5 mil", vec![450_000]),
            ("5k ou 6 mil.", vec![500_000, 600_000]),
            ("2 milhões", vec![200_000_000]),
            ("cinco mil", vec![]),
            ("99999999999999999999", vec![]),
            ("...,", vec![]),
        ] {
            assert_eq!(amounts(text), sums, "{text}");
        }
    }
}
