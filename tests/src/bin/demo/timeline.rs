//! What happens, as it is told.

use std::{io::IsTerminal as _, time::Instant};

/// Prints what happens, when, and how long it took.
pub struct Timeline {
    pub started: Instant,
    has_colours: bool,
}

impl Timeline {
    pub fn begin(client: &str) -> Self {
        let has_colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let timeline = Self { started: Instant::now(), has_colours };
        println!("  Maria writes from +{client}. Bruna and Caio are agents, Rafael is their supervisor.\n");
        println!(
            "  {}",
            timeline.paint(
                "2",
                "   time   who        what                                                                                     took"
            )
        );
        timeline
    }

    pub fn paint(&self, code: &str, text: &str) -> String {
        if self.has_colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// One line; `since` is when what it tells was set going.
    pub fn tell(&self, who: &str, what: &str, since: Instant) {
        let colour = match who {
            "Maria" | "João" => "32",
            "Bot" => "35",
            "WhatsApp" => "36",
            "Bruna" => "33",
            "Caio" => "34",
            "Helena" => "94",
            _ => "31",
        };
        let at = format!("{:7.3}", self.started.elapsed().as_secs_f64());
        let took = format!("{:>5} ms", since.elapsed().as_millis());
        println!(
            "  {}   {} {what:<86} {}",
            self.paint("2", &at),
            self.paint(colour, &format!("{who:<10}")),
            self.paint("2", &took)
        );
    }
}
