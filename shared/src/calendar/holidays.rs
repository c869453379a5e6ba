//! Days on which Brazil does not work, and those that a company adds.

use jiff::{Span, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Minute;

/// A day that is not as others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Day {
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    pub name: String,
    /// Closed until this time; null for the whole day.
    pub until: Option<Minute>,
}

/// A holiday of a state, a city or the company itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custom {
    pub date: Date,
    pub name: String,
    /// On this day of every year from then on.
    pub yearly: bool,
}

impl Custom {
    pub(super) fn is_on(&self, date: Date) -> bool {
        self.date == date
            || (self.yearly && date > self.date && (date.month(), date.day()) == (self.date.month(), self.date.day()))
    }
}

/// Month, day, name, and the first year: Lei 662/1949 in the text of Lei 10.607/2002, Lei 6.802/1980, Lei 14.759/2023. None is moved off a weekend.
const FIXED: [(i8, i8, &str, i16); 9] = [
    (1, 1, "Confraternização Universal", 0),
    (4, 21, "Tiradentes", 0),
    (5, 1, "Dia do Trabalho", 0),
    (9, 7, "Independência do Brasil", 0),
    (10, 12, "Nossa Senhora Aparecida", 1980),
    (11, 2, "Finados", 0),
    (11, 15, "Proclamação da República", 0),
    (11, 20, "Dia Nacional de Zumbi e da Consciência Negra", 2024),
    (12, 25, "Natal", 0),
];

/// The national holidays of a year, in order; Good Friday, which is municipal by the letter of Lei 9.093/1995, among them.
#[must_use]
pub fn national(year: i16) -> Vec<Day> {
    let fixed = FIXED.iter().filter(|(.., first)| year >= *first);
    let fixed = fixed.filter_map(|&(month, day, name, _)| Some((Date::new(year, month, day).ok()?, name)));
    let good_friday = from_easter(year, -2).map(|date| (date, "Sexta-feira Santa"));
    let mut days: Vec<Day> =
        fixed.chain(good_friday).map(|(date, name)| Day { date, name: name.to_owned(), until: None }).collect();
    days.sort_by_key(|day| day.date);
    days
}

/// Days that many keep although no law makes all: optional for public servants, holidays of some states and cities.
#[must_use]
pub fn optional(year: i16) -> Vec<Day> {
    let days = [
        (-48, "Carnaval (segunda-feira)", None),
        (-47, "Carnaval (terça-feira)", None),
        (-46, "Quarta-feira de Cinzas", Some(Minute::new(14, 0))),
        (60, "Corpus Christi", None),
    ];
    let day = |(offset, name, until): (i32, &str, Option<Minute>)| {
        Some(Day { date: from_easter(year, offset)?, name: name.to_owned(), until })
    };
    days.into_iter().filter_map(day).collect()
}

fn from_easter(year: i16, days: i32) -> Option<Date> {
    easter(year)?.checked_add(Span::new().days(days)).ok()
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher).
#[must_use]
#[expect(clippy::many_single_char_names, reason = "as the rule is written everywhere")]
pub fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let (a, b, c) = (year_number % 19, year_number / 100, year_number % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?).ok()
}
