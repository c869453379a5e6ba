//! One SMTP session.

use std::{io, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use uuid::Uuid;

use super::{Mail, Sandbox, parts};
use crate::sandbox::faults::{Circumstance, FaultKind, Step, Target};

const LARGEST_MAIL: usize = 10 * 1024 * 1024;
/// Bytes of a line of commands or of a mail; the standard asks for 1000 at least.
const LONGEST_LINE: u64 = 64 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

struct Session<'sandbox> {
    sandbox: &'sandbox Sandbox,
    stream: BufReader<Box<dyn Stream>>,
    encrypted: bool,
    login: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// What an ordered failure leaves to be done.
#[derive(PartialEq, Eq)]
enum Course {
    AsAlways,
    /// It was answered with a refusal.
    Refused,
    /// The work is to be done, and nothing to be said of it.
    Silently,
}

pub(super) async fn serve(stream: TcpStream, sandbox: &Sandbox) -> io::Result<()> {
    let stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
    let mut session = Session { sandbox, stream, encrypted: false, login: None, from: None, to: Vec::new() };
    if session.course(Step::Greeting, None, "").await? == Course::Refused {
        return Ok(());
    }
    session.say("220 localhost ESMTP").await?;
    while let Some(line) = session.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => session.greet().await?,
            "HELO" | "NOOP" => session.say("250 OK").await?,
            "STARTTLS" if session.encrypted => session.say("503 TLS is spoken already").await?,
            "STARTTLS" => session = session.encrypt().await?,
            "AUTH" => session.authenticate(rest).await?,
            "MAIL" => session.mail(rest).await?,
            "RCPT" => session.recipient(rest).await?,
            "DATA" => session.data().await?,
            "RSET" => {
                session.start_over();
                session.say("250 OK").await?;
            }
            "QUIT" => return session.say("221 Bye").await,
            // A web page can have its browser send these, with a mail after them.
            "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT" => return session.say("221 This is no web server").await,
            _ => session.say("502 Command not implemented").await?,
        }
    }
    Ok(())
}

impl Session<'_> {
    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// `None` at the end of the stream.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        Ok((!line.is_empty()).then_some(line))
    }

    fn start_over(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// What was ordered for this step. A closed connection is an error here: it ends the session.
    async fn course(&mut self, step: Step, to: Option<&str>, text: &str) -> io::Result<Course> {
        let at = Circumstance { to, text, step: Some(step), ..Circumstance::default() };
        match self.sandbox.faults.of_call(Target::Mail, &at) {
            Some(FaultKind::Refuse) => Err(io::ErrorKind::ConnectionAborted.into()),
            Some(FaultKind::Timeout { ms: None }) => self.silence().await,
            Some(FaultKind::Timeout { ms: Some(ms) }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Ok(Course::AsAlways)
            }
            Some(FaultKind::AcceptThenTimeout) => Ok(Course::Silently),
            Some(FaultKind::Error { code, message, .. }) => {
                self.say(&refusal(step, code.as_ref(), message.as_deref())).await?;
                Ok(Course::Refused)
            }
            _ => Ok(Course::AsAlways),
        }
    }

    /// Says nothing until the client has gone.
    async fn silence(&mut self) -> io::Result<Course> {
        while self.line().await?.is_some() {}
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    async fn greet(&mut self) -> io::Result<()> {
        let size = format!("250-SIZE {LARGEST_MAIL}");
        for reply in ["250-localhost", "250-8BITMIME", "250-SMTPUTF8", &size] {
            self.say(reply).await?;
        }
        if !self.encrypted {
            self.say("250-STARTTLS").await?;
        }
        self.say("250 AUTH PLAIN LOGIN").await
    }

    /// What was said before counts no more, and what was sent ahead in the clear is no part of the session.
    async fn encrypt(mut self) -> io::Result<Self> {
        self.say("220 Ready").await?;
        if !self.stream.buffer().is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let stream = self.sandbox.mail_identity.acceptor.accept(self.stream.into_inner()).await?;
        let stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
        Ok(Self { stream, encrypted: true, login: None, from: None, to: Vec::new(), ..self })
    }

    /// Any password is right.
    async fn authenticate(&mut self, rest: &str) -> io::Result<()> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let mechanism = mechanism.to_ascii_uppercase();
        let challenges: &[&str] = match (mechanism.as_str(), initial) {
            ("PLAIN", "") => &["334 "],
            ("PLAIN", _) => &[],
            ("LOGIN", "") => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
            ("LOGIN", _) => &["334 UGFzc3dvcmQ6"],
            _ => return self.say("504 Unrecognized authentication type").await,
        };
        let mut said = vec![initial.to_owned()];
        for challenge in challenges {
            self.say(challenge).await?;
            said.push(self.line().await?.map(|line| String::from_utf8_lossy(&line).into_owned()).unwrap_or_default());
        }
        let Some(name) = login(&mechanism, &said) else { return self.say("501 Cannot decode the response").await };
        if self.course(Step::Auth, None, &name).await? == Course::Refused {
            return Ok(());
        }
        self.login = Some(name);
        self.say("235 Authentication succeeded").await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        let Some(address) = address_after("FROM:", rest) else {
            return self.say("501 Syntax: MAIL FROM:<address>").await;
        };
        if self.from.is_some() {
            return self.say("503 Nested MAIL command").await;
        }
        self.from = Some(address);
        self.say("250 OK").await
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        let Some(from) = self.from.clone() else { return self.say("503 Need MAIL before RCPT").await };
        match address_after("TO:", rest) {
            Some(address) if !address.is_empty() => {
                if self.course(Step::Recipient, Some(&address), &from).await? == Course::Refused {
                    return Ok(());
                }
                self.to.push(address);
                self.say("250 OK").await
            }
            _ => self.say("501 Syntax: RCPT TO:<address>").await,
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        if self.to.is_empty() {
            return self.say("503 Need RCPT before DATA").await;
        }
        self.say("354 End with <CR><LF>.<CR><LF>").await?;
        let Some(raw) = self.text().await? else {
            self.start_over();
            return self.say("552 Message exceeds fixed maximum message size").await;
        };
        let raw = String::from_utf8_lossy(&raw).into_owned();
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        let mut course = Course::AsAlways;
        for address in &to {
            course = self.course(Step::Data, Some(address), &raw).await?;
            if course != Course::AsAlways {
                break;
            }
        }
        if course == Course::Refused {
            return Ok(());
        }
        let read = parts::read(raw.as_bytes());
        self.sandbox.mails.push(Mail {
            id: Uuid::now_v7(),
            at: Timestamp::now(),
            from,
            to,
            subject: read.subject,
            message_id: read.message_id,
            text: read.text,
            html: read.html,
            encrypted: self.encrypted,
            login: self.login.clone(),
            raw,
        });
        if course == Course::Silently {
            return self.silence().await.map(drop);
        }
        self.say("250 OK: kept").await
    }

    /// The mail up to the dot; `None` when it is too large.
    async fn text(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        let mut too_large = false;
        loop {
            let Some(line) = self.line().await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if line == b".\r\n" || line == b".\n" {
                return Ok((!too_large).then_some(raw));
            }
            too_large |= raw.len() + line.len() > LARGEST_MAIL;
            if !too_large {
                raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
    }
}

/// The name of `AUTH PLAIN` (`nobody NUL name NUL password`) or `AUTH LOGIN` (name, then password), each in base64.
fn login(mechanism: &str, said: &[String]) -> Option<String> {
    let mut words = said.iter().map(|word| word.trim()).filter(|word| !word.is_empty());
    let decoded = String::from_utf8(STANDARD.decode(words.next()?).ok()?).ok()?;
    if mechanism == "LOGIN" { Some(decoded) } else { decoded.split('\0').nth(1).map(str::to_owned) }
}

/// The server's words for a refusal; without an order, the usual ones of the step.
fn refusal(step: Step, code: Option<&Value>, message: Option<&str>) -> String {
    let (usual_code, usual_message) = match step {
        Step::Greeting => ("421", "4.3.2 Service not available"),
        Step::Auth => ("535", "5.7.8 Authentication credentials invalid"),
        Step::Recipient => ("550", "5.1.1 No such user here"),
        Step::Data => ("554", "5.6.0 Message refused"),
    };
    let code = code.map_or_else(|| usual_code.to_owned(), Value::to_string);
    format!("{code} {}", message.unwrap_or(usual_message))
}

/// The address in `FROM:<a@b> SIZE=1`.
fn address_after(prefix: &str, rest: &str) -> Option<String> {
    let given = rest.split_at_checked(prefix.len())?;
    if !given.0.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let inside = given.1.trim_start().strip_prefix('<')?;
    inside.split_once('>').map(|(address, _)| address.to_owned())
}
