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
const BUTTON: &str = "display:inline-block;padding:12px 24px;border-radius:6px;background:#1f5eff;color:#ffffff;text-decoration:none;font-weight:bold";
const SMALL: &str = "font-size:13px;color:#52606d;word-break:break-all";

impl Letter {
    pub fn as_text(&self, company: &str, url: Option<&str>) -> String {
        let mut blocks = vec![self.greeting.clone()];
        blocks.extend(self.paragraphs.iter().cloned());
        blocks.extend(self.button.zip(url).map(|(button, url)| format!("{button}:\n{url}")));
        blocks.push(self.closing.to_owned());
        blocks.push(company.to_owned());
        blocks.join("\n\n") + "\n"
    }

    pub fn as_html(&self, locale: &str, company: &str, url: Option<&str>) -> String {
        let page = html! {
            (DOCTYPE)
            html lang=(locale) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { (self.subject) }
                }
                body style=(PAGE) {
                    div style=(SHEET) {
                        p style="font-weight:bold" { (company) }
                        p { (self.greeting) }
                        @for paragraph in &self.paragraphs { p { (paragraph) } }
                        @if let Some((button, url)) = self.button.zip(url) {
                            p { a href=(url) style=(BUTTON) { (button) } }
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
