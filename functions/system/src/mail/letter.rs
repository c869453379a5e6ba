//! A letter in its two forms.

use maud::{DOCTYPE, html};

/// What a mail says, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub greeting: String,
    pub paragraphs: Vec<String>,
    /// What the link's button says.
    pub button: Option<&'static str>,
    /// For whom the button does not work.
    pub link_hint: &'static str,
    /// What whoever did not expect the mail is to do.
    pub closing: &'static str,
}

const PAGE: &str = "margin:0;padding:24px;background:#f4f5f7;font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;color:#1f2933";
const SHEET: &str = "max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px";
const BUTTON: &str = "display:inline-block;padding:12px 24px;border-radius:6px;text-decoration:none;font-weight:bold";
const SMALL: &str = "font-size:13px;color:#52606d;word-break:break-all";

/// The company that writes, and its colour, such as `#1f5eff`.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'company> {
    pub name: &'company str,
    pub colour: &'company str,
}

const DARK: &str = "#1f2933";

/// What can be read on a colour: white or nearly black, whichever stands out more (relative luminance, WCAG 2.2).
fn ink_on(colour: &str) -> &'static str {
    let background = luminance(colour);
    let contrast = |one: f64, other: f64| (one.max(other) + 0.05) / (one.min(other) + 0.05);
    if contrast(1.0, background) >= contrast(luminance(DARK), background) { "#ffffff" } else { DARK }
}

fn luminance(colour: &str) -> f64 {
    let channel = |place: usize| {
        let digits = colour.get(place..place + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let share = f64::from(digits.unwrap_or_default()) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

impl Letter {
    pub fn as_text(&self, company: &str, url: Option<&str>) -> String {
        let mut blocks: Vec<String> = Some(self.greeting.clone()).filter(|greeting| !greeting.is_empty()).into_iter().collect();
        blocks.extend(self.paragraphs.iter().cloned());
        blocks.extend(self.button.zip(url).map(|(button, url)| format!("{button}:\n{url}")));
        blocks.push(self.closing.to_owned());
        blocks.push(company.to_owned());
        blocks.join("\n\n") + "\n"
    }

    pub fn as_html(&self, locale: &str, sender: Sender<'_>, url: Option<&str>) -> String {
        let Sender { name, colour } = sender;
        let sheet = format!("{SHEET};border-top:4px solid {colour}");
        let look = format!("{BUTTON};background:{colour};color:{}", ink_on(colour));
        let page = html! {
            (DOCTYPE)
            html lang=(locale) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { (self.subject) }
                }
                body style=(PAGE) {
                    div style=(sheet) {
                        p style="font-weight:bold" { (name) }
                        @if !self.greeting.is_empty() { p { (self.greeting) } }
                        @for paragraph in &self.paragraphs { p { (paragraph) } }
                        @if let Some((button, url)) = self.button.zip(url) {
                            p { a href=(url) style=(look) { (button) } }
                            p style=(SMALL) { (self.link_hint) br; (url) }
                        }
                        p style=(SMALL) { (self.closing) }
                    }
                }
            }
        };
        page.into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_can_be_read_in_every_colour() {
        for (colour, ink) in
            [("#1f5eff", "#ffffff"), ("#000000", "#ffffff"), ("#ffffff", DARK), ("#ffe600", DARK), ("#c62828", "#ffffff")]
        {
            assert_eq!(ink_on(colour), ink, "{colour}");
        }
        for number in 0..4096_u32 {
            let colour = format!("#{:02x}{:02x}{:02x}", (number >> 8) * 17, (number >> 4 & 15) * 17, (number & 15) * 17);
            let (one, other) = (luminance(&colour), luminance(ink_on(&colour)));
            assert!((one.max(other) + 0.05) / (one.min(other) + 0.05) >= 3.8, "{colour}");
        }
    }
}
