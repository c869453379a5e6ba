//! Figures as a table for spreadsheets: a row for each person and each stretch of days.

use companies::BreakKind;
use jiff::Timestamp;
use shared::identity::Locale;

use crate::{
    panel::Panel,
    period::{Bucket, Period},
    tally::Tally,
};

/// The names of the columns.
#[must_use]
pub fn header(locale: Locale, breaks: &[BreakKind]) -> Vec<String> {
    let (before, past, after): (&[&str], &str, &[&str]) = match locale {
        Locale::English => (
            &["Name", "From", "To", "Online", "Busy", "Away", "Active", "Idle", "Breaks"],
            "past the limit",
            &[
                "First in",
                "Last out",
                "Shifts",
                "Attended",
                "Late",
                "Late time",
                "Punctuality (%)",
                "Conversations",
                "Messages",
                "First answers",
                "Average first answer",
            ],
        ),
        Locale::Portuguese => (
            &["Nome", "De", "Até", "Online", "Ocupado", "Ausente", "Ativo", "Ocioso", "Pausas"],
            "além do limite",
            &[
                "Primeira entrada",
                "Última saída",
                "Turnos",
                "Presenças",
                "Atrasos",
                "Tempo de atraso",
                "Pontualidade (%)",
                "Conversas",
                "Mensagens",
                "Primeiras respostas",
                "Média da primeira resposta",
            ],
        ),
    };
    let kinds = breaks.iter().flat_map(|kind| [kind.name.clone(), format!("{} ({past})", kind.name)]);
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    [texts(before), kinds.collect(), texts(after)].concat()
}

/// All rows, by name and then by time.
pub fn rows(panel: &Panel) -> impl Iterator<Item = Vec<String>> {
    panel.people.iter().zip(&panel.figures).flat_map(|(person, figures)| {
        figures.iter().zip(&panel.buckets).map(|(figures, bucket)| row(panel, &person.name, bucket, figures))
    })
}

fn row(panel: &Panel, name: &str, bucket: &Bucket, figures: &Tally) -> Vec<String> {
    let of_kinds = panel.breaks.iter().flat_map(|kind| {
        let found = figures.breaks.iter().find(|found| found.reason == kind.reason);
        [found.map_or(0, |found| found.seconds), found.map_or(0, |found| found.over_seconds)].map(clock)
    });
    let punctuality = &figures.punctuality;
    let rate = punctuality.rate.map(|rate| decimal(rate, panel.locale)).unwrap_or_default();
    let before = [name.to_owned(), bucket.from.to_string(), bucket.to.to_string()].into_iter();
    let seconds = [
        figures.online_seconds,
        figures.busy_seconds,
        figures.away_seconds,
        figures.active_seconds,
        figures.idle_seconds,
        figures.break_seconds,
    ];
    let after = [
        local(&panel.period, figures.first_in),
        local(&panel.period, figures.last_out),
        punctuality.shifts.to_string(),
        punctuality.attended.to_string(),
        punctuality.late.to_string(),
        clock(punctuality.late_seconds),
        rate,
        figures.conversations.to_string(),
        figures.messages.to_string(),
        figures.first_answers.to_string(),
        figures.average_first_answer_seconds.map(clock).unwrap_or_default(),
    ];
    before.chain(seconds.map(clock)).chain(of_kinds).chain(after).collect()
}

/// As the clock on the wall shows it.
fn local(period: &Period, at: Option<Timestamp>) -> String {
    at.map(|at| period.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// Hours, minutes and seconds; spreadsheets take it for a duration, of however many hours.
fn clock(seconds: i64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn decimal(value: f64, locale: Locale) -> String {
    let text = format!("{value:.1}");
    if locale == Locale::Portuguese { text.replace('.', ",") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::A_YEAR;

    #[test]
    fn durations_are_as_long_as_they_are() {
        assert_eq!([0, 61, 3600, 100 * 3600 + 5].map(clock), ["0:00:00", "0:01:01", "1:00:00", "100:00:05"]);
        assert_eq!(decimal(66.7, Locale::Portuguese), "66,7");
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_header() {
        let breaks = vec![BreakKind { reason: "lunch".into(), name: "Almoço".into(), limit_minutes: Some(60) }];
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let period = Period::new("America/Sao_Paulo", now, None, None, &A_YEAR).unwrap();
        let bucket = Bucket { from: period.from, to: period.to };
        let panel = Panel {
            period,
            time_zone: "America/Sao_Paulo".into(),
            locale: Locale::Portuguese,
            breaks,
            buckets: vec![bucket],
            people: Vec::new(),
            figures: Vec::new(),
            departments: Vec::new(),
        };
        let figures = Tally { first_in: Some(now), ..Tally::default() };
        for locale in [Locale::English, Locale::Portuguese] {
            let cells = row(&panel, "Ana", &bucket, &figures);
            assert_eq!(cells.len(), header(locale, &panel.breaks).len());
            assert!(cells.contains(&"2026-11-30 09:00:00".to_owned()), "{cells:?}");
        }
    }
}
