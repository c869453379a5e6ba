//! Figures as people write them, and what each is a figure of: the tenth day is not ten reais.

use std::collections::BTreeSet;

use shared::text::unaccented;

/// What a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Money,
    Percent,
    /// How often, or in how many parts.
    Times,
    Day,
    Other,
}

/// A figure without what groups its digits: `R$ 1.250,00` and `R$ 1250` are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure {
    kind: Kind,
    number: String,
}

impl Figure {
    /// Whether a source that has the other says this one, too. What is not said of the one may be left out of the other, but no sum of money is made
    /// of what is none.
    fn is_said_by(&self, other: &Self) -> bool {
        let is_sum = other.number.contains('.');
        self.number == other.number
            && match (self.kind, other.kind) {
                (own, known) if own == known => true,
                (Kind::Money, Kind::Other) => is_sum,
                (Kind::Other, Kind::Money) | (Kind::Day, Kind::Other) => true,
                _ => false,
            }
    }
}

/// Whether a text has a figure that the sources do not have.
#[must_use]
pub fn has_new(text: &str, sources: &str) -> bool {
    let known = of(sources);
    of(text).iter().any(|figure| !known.iter().any(|known| figure.is_said_by(known)))
}

/// Whether a text has a sum of money, a percentage or a number of parts that the sources do not have.
#[must_use]
pub fn has_new_sum(text: &str, sources: &str) -> bool {
    let known = of(sources);
    let is_sum = |figure: &&Figure| matches!(figure.kind, Kind::Money | Kind::Percent | Kind::Times);
    of(text).iter().filter(is_sum).any(|figure| !known.iter().any(|known| figure.is_said_by(known)))
}

/// How many different figures a text has.
#[must_use]
pub fn count(text: &str) -> usize {
    of(text).len()
}

/// All figures of a text.
fn of(text: &str) -> BTreeSet<Figure> {
    let text = unaccented(text);
    let mut figures = BTreeSet::new();
    let bytes = text.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        if !bytes[place].is_ascii_digit() {
            place += 1;
            continue;
        }
        let start = place;
        while place < bytes.len()
            && (bytes[place].is_ascii_digit()
                || matches!(bytes[place], b'.' | b',') && bytes.get(place + 1).is_some_and(u8::is_ascii_digit))
        {
            place += 1;
        }
        let (kind, number) = (kind_of(&text[..start], &text[place..]), number_of(&text[start..place]));
        // `8:00` is `8h`.
        if number != "0" || !text[..start].ends_with(':') {
            figures.insert(Figure { kind, number });
        }
    }
    // Written out, as a way around.
    for (word, kind, number) in [
        ("metade do preco", Kind::Percent, "50"),
        ("cinquenta por cento", Kind::Percent, "50"),
        ("dez por cento", Kind::Percent, "10"),
        ("vinte por cento", Kind::Percent, "20"),
        ("cem por cento", Kind::Percent, "100"),
        ("noventa por cento", Kind::Percent, "90"),
    ] {
        if text.contains(word) {
            figures.insert(Figure { kind, number: number.to_owned() });
        }
    }
    figures
}

/// By what stands before it and after it.
fn kind_of(before: &str, after: &str) -> Kind {
    let (before, after) = (before.trim_end(), after.trim_start());
    let word = |text: &str| text.split(|sign: char| !sign.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let next = word(after);
    let last = before.rsplit(|sign: char| !sign.is_alphanumeric()).next().unwrap_or_default();
    if before.ends_with(['$', '€', '£']) || after.starts_with(['€', '£']) || MONEY.contains(&next.as_str()) {
        Kind::Money
    } else if after.starts_with('%') || after.starts_with("por cento") || after.starts_with("percent") {
        Kind::Percent
    } else if TIMES.iter().any(|times| next.starts_with(times)) || next == "x" {
        Kind::Times
    } else if after.starts_with('/') {
        Kind::Other
    } else if ["dia", "dias"].contains(&last)
        || after.strip_prefix("de ").is_some_and(|rest| MONTHS.contains(&word(rest).as_str()))
    {
        Kind::Day
    } else {
        Kind::Other
    }
}

const MONEY: [&str; 6] = ["real", "reais", "centavo", "centavos", "dolares", "euros"];

const TIMES: [&str; 3] = ["vez", "parcela", "prestac"];

const MONTHS: [&str; 12] =
    ["janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"];

fn number_of(written: &str) -> String {
    let is_decimal = |part: &str| part.len() <= 2;
    let (whole, decimals) = match written.rsplit_once([',', '.']) {
        Some((whole, decimals)) if is_decimal(decimals) => (whole, decimals.trim_end_matches('0')),
        _ => (written, ""),
    };
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if decimals.is_empty() { whole.to_owned() } else { format!("{whole}.{decimals}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "A mensalidade é R$ 349,90 e vence no dia 10. Matrícula: R$ 1.250,00 em 3 parcelas, com 5% de desconto. Das 8h às 18h30.";

    #[test]
    fn a_figure_is_what_it_is_of_however_it_is_written() {
        for said in [
            "R$ 349,90",
            "custa 349,90 por mês",
            "todo dia 10",
            "R$1250",
            "1.250,00 reais",
            "em 3 vezes",
            "5 por cento",
            "às 08:00 e às 18:30",
            "nada",
        ] {
            assert!(!has_new(said, SOURCE), "{said}");
        }
        for new in [
            "R$ 10",
            "10 reais",
            "dia 349,90",
            "10%",
            "em 10x",
            "em 10 parcelas",
            "R$ 349,91",
            "R$ 8",
            "5 vezes",
            "pela metade do preço",
        ] {
            assert!(has_new(new, SOURCE), "{new}");
        }
    }
}
