//! The hand-over of one mail to its server.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{Error, authentication::Credentials, client::Certificate, client::Tls, client::TlsParameters},
};
use shared::settings::{MailSecurity, MailServer};

/// How long one step of the dialogue may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long all of it may.
const WHOLE_PATIENCE: Duration = Duration::from_secs(15);

/// Why a server did not take a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It never will: no such recipient, a sender it does not let send.
    Refused(String),
    /// It may later: busy, away, a login it does not know now.
    Passing(String),
}

/// Hands a mail over and gives the server's last word.
///
/// # Errors
/// With what the server said, or that it said nothing.
pub async fn send(server: &MailServer, mail: Message) -> Result<String, Failure> {
    let transport = transport(server).map_err(|error| Failure::Passing(error.to_string()))?;
    match tokio::time::timeout(WHOLE_PATIENCE, transport.send(mail)).await {
        Ok(Ok(reply)) => Ok(format!("{} {}", reply.code(), reply.message().collect::<Vec<_>>().join(" "))),
        Ok(Err(error)) => Err(failure(&error)),
        Err(_) => Err(Failure::Passing("no answer in time".to_owned())),
    }
}

fn transport(server: &MailServer) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
    let parameters = || {
        let builder = TlsParameters::builder(server.host.clone());
        match &server.authority {
            Some(authority) => builder.add_root_certificate(Certificate::from_pem(authority.as_bytes())?).build(),
            None => builder.build(),
        }
    };
    let tls = match server.security {
        MailSecurity::Tls => Tls::Wrapper(parameters()?),
        MailSecurity::StartTls => Tls::Required(parameters()?),
        MailSecurity::None => Tls::None,
    };
    let builder =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host).port(server.port).tls(tls).timeout(Some(PATIENCE));
    Ok(match &server.login {
        Some(login) => builder.credentials(Credentials::new(login.username.clone(), login.password.clone())),
        None => builder,
    }
    .build())
}

/// A refused login may be mended in the settings: it is no refusal of the mail.
fn failure(error: &Error) -> Failure {
    let code = error.status().map(|code| code.to_string());
    let text = format!("{error}");
    match code.as_deref() {
        Some("530" | "534" | "535" | "538") | None => Failure::Passing(text),
        Some(_) if error.is_permanent() => Failure::Refused(text),
        Some(_) => Failure::Passing(text),
    }
}
