//! Closed sets of words: what a column's check allows, as one type for the row, the answer and its description.

/// Reads a type from a column of text, by its `FromStr`. A word it does not know is an error: a migration that allows one more comes
/// after the code that knows it.
#[macro_export]
macro_rules! read_from_text {
    ($name:ident) => {
        impl<'row> tokio_postgres::types::FromSql<'row> for $name {
            fn from_sql(
                kind: &tokio_postgres::types::Type,
                raw: &'row [u8],
            ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
                let text = <&str as tokio_postgres::types::FromSql>::from_sql(kind, raw)?;
                text.parse().map_err(Into::into)
            }

            fn accepts(kind: &tokio_postgres::types::Type) -> bool {
                <&str as tokio_postgres::types::FromSql>::accepts(kind)
            }
        }
    };
}

/// Declares an enumeration with the word of each variant.
#[macro_export]
macro_rules! closed_set {
    ($(#[$doc:meta])* $visibility:vis $name:ident { $($(#[$of_variant:meta])* $variant:ident = $word:literal $(| $also:literal)*),+ $(,)? }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $(#[$doc])*
        $visibility enum $name {
            $($(#[$of_variant])* #[serde(rename = $word, $(alias = $also),*)] $variant),+
        }

        impl $name {
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word $(| $also)* => Ok(Self::$variant),)+
                    // In serde's words, which `validation` knows how to tell.
                    other => Err(format!("unknown variant `{other}`, expected one of `{}`", [$($word),+].join("`, `"))),
                }
            }
        }

        $crate::read_from_text!($name);
    };
}

#[cfg(test)]
mod tests {
    use tokio_postgres::types::{FromSql, Type};

    closed_set! {
        /// How far it is.
        Stage { Open = "open", WonOver = "won" | "ganho" }
    }

    #[test]
    fn one_word_is_read_and_written_everywhere() {
        for (stage, word) in [(Stage::Open, "open"), (Stage::WonOver, "won")] {
            assert_eq!((stage.as_str(), word.parse()), (word, Ok(stage)));
            assert_eq!(serde_json::to_value(stage).unwrap(), word);
            assert_eq!(serde_json::from_value::<Stage>(word.into()).unwrap(), stage);
            assert_eq!(Stage::from_sql(&Type::TEXT, word.as_bytes()).unwrap(), stage);
        }
        assert_eq!(serde_json::from_value::<Stage>("ganho".into()).unwrap(), Stage::WonOver);
        assert_eq!("ganho".parse(), Ok(Stage::WonOver));
        let schema = serde_json::to_value(schemars::schema_for!(Stage)).unwrap();
        assert_eq!(schema["enum"], serde_json::json!(["open", "won"]));
    }

    #[test]
    fn other_words_are_errors() {
        assert!("won_over".parse::<Stage>().is_err_and(|error| error.ends_with("expected one of `open`, `won`")));
        assert!(Stage::from_sql(&Type::TEXT, b"lost").is_err());
        assert!(Stage::accepts(&Type::TEXT) && !Stage::accepts(&Type::INT4));
    }
}
