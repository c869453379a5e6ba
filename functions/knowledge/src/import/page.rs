//! Pages of the public web as sections, by their headings.

use std::{cell::RefCell, rc::Rc};

use encoding_rs::Encoding;
use lol_html::{HtmlRewriter, MemorySettings, Settings, doc_text, element, end_tag};
use quick_xml::escape::resolve_html5_entity;
use reqwest::{Method, header};
use shared::{prelude::*, provider};
use url::Url;

use super::{FileFault, Section, document::numbered, kept, shown};

/// Bytes of a page, at most.
const LARGEST: usize = 2 * 1024 * 1024;

/// Bytes that reading a page takes besides.
const MOST_MEMORY: usize = 4 * 1024 * 1024;

/// Addresses that lead to others, one after the other.
const MOST_LEADS: usize = 3;

/// A page as its server told it.
#[derive(Debug)]
pub struct Page {
    bytes: Vec<u8>,
    is_html: bool,
    /// In which writing, where its server says so.
    encoding: Option<&'static Encoding>,
}

/// Fetches what an address says, where it is public; so is whatever it leads to.
///
/// # Errors
/// Why there is nothing.
pub async fn fetch(context: &Context, address: &str) -> Result<Page, FileFault> {
    let mut address = address.to_owned();
    for _ in 0..=MOST_LEADS {
        let request = context.call_outside(Method::GET, &address).await.map_err(|_| FileFault::NotPublic)?;
        let response = request.header(header::ACCEPT, "text/html").send().await.map_err(|_| FileFault::Unreachable)?;
        let said =
            |name| response.headers().get(name).and_then(|value: &header::HeaderValue| value.to_str().ok()).map(str::to_owned);
        if response.status().is_redirection() {
            let leads = said(header::LOCATION).ok_or(FileFault::Unreachable)?;
            let base = Url::parse(&address).map_err(|_| FileFault::NotPublic)?;
            let mut next = base.join(&leads).map_err(|_| FileFault::Unreachable)?;
            next.set_fragment(None);
            address = next.into();
            continue;
        }
        if !response.status().is_success() {
            return Err(FileFault::Unreachable);
        }
        let kind = said(header::CONTENT_TYPE).unwrap_or_default().to_lowercase();
        let is_html = kind.starts_with("text/html") || kind.starts_with("application/xhtml");
        if !is_html && !kind.starts_with("text/plain") && !kind.starts_with("text/markdown") {
            return Err(FileFault::NotAPage);
        }
        // Nobody has asked for anything packed.
        if said(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(FileFault::NotAPage);
        }
        let encoding = encoding_in(&kind);
        let bytes = provider::read_up_to(response, LARGEST).await.map_err(|_| FileFault::Unreachable)?;
        return Ok(Page { bytes: bytes.ok_or(FileFault::TooLarge)?, is_html, encoding });
    }
    Err(FileFault::Unreachable)
}

impl Page {
    /// Its sections, and what it is called.
    ///
    /// # Errors
    /// `Unreadable`, `Empty`.
    pub fn sections(&self, address: &str) -> Result<(String, Vec<Section>), FileFault> {
        let text = self.text()?;
        if self.is_html {
            return of_html(text.as_bytes(), address);
        }
        Ok((address.to_owned(), super::document::of_markdown(&text, address)))
    }
}

impl Page {
    /// As its server says, or it itself; otherwise as any text.
    fn text(&self) -> Result<String, FileFault> {
        let of_itself = || encoding_in(&String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(1_024)]).to_lowercase());
        match self.encoding.or_else(|| if self.is_html { of_itself() } else { None }) {
            Some(encoding) => Ok(encoding.decode(&self.bytes).0.into_owned()),
            None => super::document::text(&mut self.bytes.as_slice()),
        }
    }
}

/// The first that is named after `charset=`.
fn encoding_in(text: &str) -> Option<&'static Encoding> {
    let named = text.split_once("charset=")?.1.trim_start_matches(['"', '\'']);
    let end = named.find(|sign: char| !(sign.is_ascii_alphanumeric() || "-_:.".contains(sign))).unwrap_or(named.len());
    Encoding::for_label(&named.as_bytes()[..end])
}

/// What has been read of a page so far.
#[derive(Default)]
struct Reading {
    /// How deep in what nobody reads: programs, menus, forms.
    hidden: usize,
    is_title: bool,
    is_heading: bool,
    title: String,
    /// Headings and what follows them.
    parts: Vec<(String, String)>,
}

impl Reading {
    fn say(&mut self, words: &str) {
        if self.is_title {
            self.title.push_str(words);
        } else if self.hidden == 0
            && let Some((heading, body)) = self.parts.last_mut()
        {
            if self.is_heading { heading } else { body }.push_str(words);
        }
    }
}

const HIDDEN: &str = "script, style, noscript, nav, footer, form, template, iframe, svg, button, select";
const BLOCKS: &str = "p, div, li, br, tr, dt, dd, section, article, blockquote, pre";

/// The sections of an HTML page under its headings, and its title.
///
/// # Errors
/// `Unreadable`, `Empty`.
pub fn of_html(bytes: &[u8], address: &str) -> Result<(String, Vec<Section>), FileFault> {
    let reading = Rc::new(RefCell::new(Reading { parts: vec![Default::default()], ..Reading::default() }));
    let [hidden, title, heading, block, words] = [(); 5].map(|()| Rc::clone(&reading));
    let settings = Settings::new()
        .with_strict(false)
        .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(MOST_MEMORY))
        .append_element_content_handler(element!(HIDDEN, move |element| {
            hidden.borrow_mut().hidden += 1;
            let after = Rc::clone(&hidden);
            let ends = end_tag!(move |_| {
                let mut reading = after.borrow_mut();
                reading.hidden = reading.hidden.saturating_sub(1);
                Ok(())
            });
            if element.on_end_tag(ends).is_err() {
                let mut reading = hidden.borrow_mut();
                reading.hidden = reading.hidden.saturating_sub(1);
            }
            Ok(())
        }))
        .append_element_content_handler(element!("title", move |element| {
            // Not that of a picture.
            let is_hidden = title.borrow().hidden > 0;
            title.borrow_mut().is_title = !is_hidden;
            let after = Rc::clone(&title);
            element.on_end_tag(end_tag!(move |_| {
                after.borrow_mut().is_title = false;
                Ok(())
            }))
        }))
        .append_element_content_handler(element!("h1, h2, h3, h4, summary", move |element| {
            let mut reading = heading.borrow_mut();
            if reading.hidden == 0 {
                reading.is_heading = true;
                reading.parts.push(Default::default());
            }
            let after = Rc::clone(&heading);
            element.on_end_tag(end_tag!(move |_| {
                after.borrow_mut().is_heading = false;
                Ok(())
            }))
        }))
        .append_element_content_handler(element!(BLOCKS, move |_| {
            block.borrow_mut().say("\n");
            Ok(())
        }))
        .append_document_content_handler(doc_text!(move |chunk| {
            words.borrow_mut().say(chunk.as_str());
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let written = rewriter.write(bytes);
    written.and_then(|()| rewriter.end()).map_err(|_| FileFault::Unreadable)?;
    let reading = reading.take();
    let title = Some(shown(&decoded(&reading.title))).filter(|title| !title.is_empty()).unwrap_or_else(|| address.to_owned());
    let name = title.clone();
    let parts = reading.parts.into_iter().map(|(heading, body)| {
        let heading = shown(&decoded(&heading));
        (if heading.is_empty() { name.clone() } else { heading }, paragraphs(&decoded(&body)))
    });
    let sections = numbered(parts);
    if sections.is_empty() { Err(FileFault::Empty) } else { Ok((title, sections)) }
}

/// Lines with one space between words, none of them empty.
fn paragraphs(text: &str) -> String {
    let lines = text.lines().map(shown).filter(|line| !line.is_empty());
    kept(&lines.collect::<Vec<_>>().join("\n"))
}

/// Text with its entities written out; what is none stays.
fn decoded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest[1..].split_once(';').map(|(name, _)| name).filter(|name| name.len() <= 32);
        if let Some((name, letters)) = entity.and_then(|name| Some((name, entity_of(name)?))) {
            plain.push_str(&letters);
            rest = &rest[name.len() + 2..];
        } else {
            plain.push('&');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    plain
}

fn entity_of(name: &str) -> Option<String> {
    let number = match name.strip_prefix('#') {
        None => return resolve_html5_entity(name).map(ToOwned::to_owned),
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => digits.parse().ok()?,
        },
    };
    char::from_u32(number).map(String::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_read_in_the_writing_it_is_in() {
        let page = |bytes: &[u8], kind: &str| Page { bytes: bytes.to_vec(), is_html: true, encoding: encoding_in(kind) };
        let latin = b"<h1>A\xe7\xe3o?</h1><p>At\xe9 j\xe1</p>".to_vec();
        let named = [b"<meta http-equiv=x content='text/html; charset=windows-1252'>".as_slice(), &latin].concat();
        for page in [page(&latin, "text/html; charset=iso-8859-1"), page(&named, "text/html"), page(&latin, "text/html")] {
            let (_, sections) = page.sections("https://exemplo.com.br/").unwrap();
            assert_eq!((sections[0].title.as_str(), sections[0].answer.as_str()), ("Ação?", "Até já"));
        }
        let (_, sections) = page("<h1>Ação?</h1>Já".as_bytes(), "text/html; charset=utf-8").sections("x").unwrap();
        assert_eq!(sections[0].answer, "Já");
    }

    #[test]
    fn headings_part_a_page_and_menus_are_left_out() {
        let page = "<html><head><title>D&uacute;vidas &amp; respostas</title><style>p{}</style></head><body>
            <nav><h2>Menu</h2>In&iacute;cio</nav><p>Bem-vindo&#33;</p>
            <h2>Quando <b>vence</b>?</h2><p>Dia&nbsp;10.</p><ul><li>Boleto<li>Pix</ul><script>var a = '<p>nada</p>';</script>
            <h3>Sozinho</h3><h3>Desconto</h3><div>R$ 10 &lt; R$ 20 &desconhecido; & mais</div><footer>Rodapé</footer></body></html>";
        let (title, sections) = of_html(page.as_bytes(), "https://exemplo.com.br/").unwrap();
        let read: Vec<(&str, &str)> = sections.iter().map(|section| (section.title.as_str(), section.answer.as_str())).collect();
        assert_eq!(title, "Dúvidas & respostas");
        assert_eq!(
            read,
            [
                ("Dúvidas & respostas", "Bem-vindo!"),
                ("Quando vence?", "Dia 10.\nBoleto\nPix"),
                ("Desconto", "R$ 10 < R$ 20 &desconhecido; & mais"),
            ]
        );
    }

    #[test]
    fn depth_and_size_take_no_more_than_they_may() {
        let deep = "<div>".repeat(200_000);
        drop(of_html(deep.as_bytes(), "x"));
        assert_eq!(of_html(b"", "x").unwrap_err(), FileFault::Empty);
        let endless = format!("<p title=\"{}", "a".repeat(5 * 1024 * 1024));
        assert!(of_html(endless.as_bytes(), "x").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_page_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            drop(of_html(&bytes, "x"));
        }

        #[test]
        fn what_has_no_entity_stays(text in "[^&]*") {
            prop_assert_eq!(decoded(&text), text);
        }
    }
}
