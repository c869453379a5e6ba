//! Mails as they are written and handed over.

mod letter;
mod smtp;
mod texts;

use lettre::{
    Message,
    message::{Mailbox, MultiPart, header},
};
use shared::{
    crypto,
    error::INTERNAL,
    links::{Link, Purpose},
    mail::Template,
    prelude::*,
    settings::{MailLogin, MailSecurity, MailServer},
};

use self::letter::Sender;
pub use self::smtp::{Failure, Step, check, is_certificate, send};

/// The columns of `Account`, of `mail_accounts account`.
#[macro_export]
macro_rules! mail_account_columns {
    () => {
        "account.host, account.port, account.security, account.username, account.sealed, account.authority, account.from_address,
           account.from_name"
    };
}

/// A mail that waits, with what its company's letters look like and which server takes them.
pub const WAITING: &str = concat!(
    "select mails.id, mails.template, mails.to_address, mails.to_name, mails.locale, mails.link_purpose, mails.link_id, mails.data,
            mails.created_at, companies.name as company, companies.colour, companies.front_end_url, ",
    mail_account_columns!(),
    " from mails
       join companies on companies.id = mails.company_id
       left join mail_accounts account on account.company_id = mails.company_id
      where mails.id = $1 and mails.state = 'queued'"
);

#[derive(FromRow)]
pub struct Waiting {
    id: Uuid,
    template: Template,
    to_address: String,
    to_name: String,
    locale: String,
    link_purpose: Option<Purpose>,
    link_id: Option<Uuid>,
    data: Value,
    pub created_at: Timestamp,
    company: String,
    /// Such as `#1f5eff`.
    colour: String,
    front_end_url: Option<String>,
    #[from_row(flatten)]
    pub account: Account,
}

/// A company's own mail server as its row says it; all null where there is none.
#[derive(FromRow)]
pub struct Account {
    host: Option<String>,
    port: Option<i32>,
    security: Option<MailSecurity>,
    username: Option<String>,
    sealed: Option<Vec<u8>>,
    authority: Option<String>,
    from_address: Option<String>,
    from_name: Option<String>,
}

impl Account {
    /// The server, or else the stage's; `None` where neither is.
    ///
    /// # Errors
    /// 500 when the company's password does not open.
    pub fn server(&self, context: &Context, company_id: Uuid) -> Result<Option<MailServer>, Error> {
        let (Some(host), Some(from), Some(security)) = (&self.host, &self.from_address, self.security) else {
            return Ok(context.secrets().mail.clone());
        };
        let login = match (&self.username, &self.sealed) {
            (Some(username), Some(sealed)) => {
                let opened = crypto::open(&context.secrets().encryption_keys, company_id.as_bytes(), sealed);
                let password = opened.and_then(|bytes| String::from_utf8(bytes).ok());
                let password = password.ok_or_else(|| INTERNAL.caused_by("the mail server's password does not open"))?;
                Some(MailLogin { username: username.clone(), password })
            }
            _ => None,
        };
        Ok(Some(MailServer {
            host: host.clone(),
            port: self.port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
            security,
            login,
            authority: self.authority.clone(),
            from: from.clone(),
            from_name: self.from_name.clone(),
            is_typed: true,
        }))
    }
}

impl Waiting {
    /// Whether its link leads nowhere any more: it was made with the mail.
    pub fn is_too_late(&self, now: Timestamp) -> bool {
        self.link_purpose.is_some_and(|purpose| now.duration_since(self.created_at) >= purpose.life())
    }

    /// The mail, the same each time it is written: should it be handed over twice, its `Message-ID` says that it is one.
    ///
    /// # Errors
    /// 500 when an address is none.
    pub fn write(&self, context: &Context, server: &MailServer, [stage_front_end, api]: [&str; 2]) -> Result<Message, Error> {
        let link = self.link_purpose.zip(self.link_id).map(|(purpose, id)| Link { purpose, id });
        let front_end = self.front_end_url.as_deref().unwrap_or(stage_front_end);
        let url = link.map(|link| link.url(&context.secrets().token_keys, front_end));
        let letter = texts::of(self.template, &self.locale, &self.company, &self.to_name, &self.data);
        let address = |text: &str| text.parse().map_err(|_| INTERNAL.caused_by("an address of a mail is none"));
        let from_name = server.from_name.clone().unwrap_or_else(|| self.company.clone());
        let domain = server.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let mut message = Message::builder();
        if let Some(link) = link.filter(|link| link.purpose == Purpose::Unsubscribe) {
            for (name, value) in one_click(&link.token(&context.secrets().token_keys), api) {
                message = message.raw_header(header::HeaderValue::new(name, value));
            }
        }
        message
            .from(Mailbox::new(Some(from_name), address(&server.from)?))
            .to(Mailbox::new(Some(self.to_name.clone()).filter(|name| !name.is_empty()), address(&self.to_address)?))
            .subject(&letter.subject)
            .message_id(Some(format!("<{}@{domain}>", self.id)))
            .date(self.created_at.into())
            .header(header::ContentTransferEncoding::EightBit)
            .multipart(MultiPart::alternative_plain_html(
                letter.as_text(&self.company, url.as_deref()),
                letter.as_html(&self.locale, Sender { name: &self.company, colour: &self.colour }, url.as_deref()),
            ))
            .map_err(|error| INTERNAL.caused_by(error))
    }
}

/// What mail programs end a subscription by, without anybody signing in or looking at a page (RFC 8058).
fn one_click(token: &str, api: &str) -> [(header::HeaderName, String); 2] {
    let address = format!("<{}/followups/unsubscribe/{token}>", api.trim_end_matches('/'));
    [
        (header::HeaderName::new_from_ascii_str("List-Unsubscribe"), address),
        (header::HeaderName::new_from_ascii_str("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click".to_owned()),
    ]
}
