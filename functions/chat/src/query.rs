//! What a search text asks for besides words: `from:maria in:vendas has:file after:2026-11-01 before:2026-12-01`, in Portuguese too.

use jiff::civil::Date;

/// A search text taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ChatQuery {
    pub words: String,
    /// A part of the author's name.
    pub from: Option<String>,
    /// The channel's name.
    pub channel: Option<String>,
    pub has_file: bool,
    /// Days of the company's: from this one on, and before this one.
    pub after: Option<Date>,
    pub before: Option<Date>,
}

impl ChatQuery {
    /// What is no filter that can be read is a word.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut query = Self::default();
        let mut words = Vec::new();
        for part in text.split_whitespace() {
            let (name, value) = part.split_once(':').unwrap_or(("", part));
            let date = value.parse::<Date>().ok();
            match (name.to_lowercase().as_str(), value) {
                ("from" | "de", value) if !value.is_empty() => query.from = Some(value.trim_start_matches('@').to_owned()),
                ("in" | "em", value) if !value.is_empty() => query.channel = Some(value.trim_start_matches('#').to_owned()),
                ("has" | "tem", "file" | "arquivo") => query.has_file = true,
                ("after" | "depois" | "desde", _) if date.is_some() => query.after = date,
                ("before" | "antes" | "até", _) if date.is_some() => query.before = date,
                _ => words.push(part),
            }
        }
        query.words = words.join(" ");
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_taken_out_of_the_words() {
        let read = ChatQuery::read("boleto from:@maria in:#vendas vencido tem:arquivo after:2026-11-01 antes:2026-12-01");
        let expected = ChatQuery {
            words: "boleto vencido".to_owned(),
            from: Some("maria".to_owned()),
            channel: Some("vendas".to_owned()),
            has_file: true,
            after: Some("2026-11-01".parse().unwrap()),
            before: Some("2026-12-01".parse().unwrap()),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_no_filter_is_a_word() {
        for text in ["às 10:30", "after:ontem", "from:", "https://exemplo.com.br/a", "has:boleto"] {
            assert_eq!(ChatQuery::read(text), ChatQuery { words: text.to_owned(), ..Default::default() }, "{text}");
        }
        assert_eq!(ChatQuery::read("  "), ChatQuery::default());
    }
}
