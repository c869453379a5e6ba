//! A visit to an instance's server: calls made outside of any transaction, and what they have shown.

use integrations::saving::{register_webhook, webhook_url};
use shared::{
    evolution::{self, Connection, Credentials, InstanceState, Server, Webhook},
    prelude::*,
    provider::{Failure, Outcome},
};

use crate::{
    seen::{InstanceProblem, Seen},
    servers::GlobalAccess,
};

/// Instances with what is needed to talk to their servers: all of the company's, or those named.
const KNOWN: &str = "
    select channel.id, channel.state, channel.settings ->> 'base_url' as base_url, channel.settings ->> 'instance' as instance_name,
           channel.display_number, instance.made_at is not null as is_made, instance.webhook_at is not null as has_webhook,
           instance.server_version is not null as has_version, credentials.sealed
      from channel_accounts channel
      join evolution_instances instance on instance.channel_account_id = channel.id
      join channel_credentials credentials on credentials.channel_account_id = channel.id
     where channel.kind = 'evolution' and channel.removed_at is null and ($1::uuid[] is null or channel.id = any ($1))
     order by instance.told_at, channel.id
     limit $2";

#[derive(FromRow)]
struct KnownRow {
    id: Uuid,
    state: InstanceState,
    base_url: String,
    instance_name: String,
    display_number: Option<String>,
    is_made: bool,
    has_webhook: bool,
    has_version: bool,
    sealed: Vec<u8>,
}

/// An instance as it was known before the visit.
pub struct Known {
    pub id: Uuid,
    pub state: InstanceState,
    pub is_made: bool,
    base_url: String,
    instance_name: String,
    display_number: Option<String>,
    has_webhook: bool,
    has_version: bool,
    /// `None` when they do not open.
    credentials: Option<Credentials>,
    /// Where the company makes instances, if it is this server.
    global: Option<GlobalAccess>,
}

impl Known {
    /// Those named, or all: at most so many, those that nobody has asked after for longest.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(
        context: &Context,
        transaction: &Transaction,
        company_id: Uuid,
        ids: Option<&[Uuid]>,
        most: i64,
    ) -> Result<Vec<Self>, Error> {
        let rows: Vec<KnownRow> = transaction.all(KNOWN, &[&ids, &most]).await?;
        let global =
            if rows.iter().all(|row| row.is_made) { None } else { GlobalAccess::kept(context, transaction, company_id).await? };
        let keys = &context.secrets().encryption_keys;
        let known = rows.into_iter().map(|row| {
            let KnownRow { id, state, base_url, instance_name, display_number, is_made, has_webhook, has_version, sealed } = row;
            let credentials = Credentials::open(keys, id, &sealed);
            let global = global.clone().filter(|global| global.base_url == base_url);
            Self { id, state, is_made, base_url, instance_name, display_number, has_webhook, has_version, credentials, global }
        });
        Ok(known.collect())
    }

    /// One that is about to be made, by who has the server's key.
    #[must_use]
    pub fn to_be_made(id: Uuid, instance_name: String, credentials: Credentials, global: GlobalAccess) -> Self {
        Self {
            id,
            state: InstanceState::Close,
            is_made: false,
            base_url: global.base_url.clone(),
            instance_name,
            display_number: None,
            has_webhook: false,
            has_version: false,
            credentials: Some(credentials),
            global: Some(global),
        }
    }
}

/// A visit that is going on.
pub struct Visit<'a> {
    context: &'a Context,
    known: &'a Known,
    pub seen: Seen,
}

impl<'a> Visit<'a> {
    #[must_use]
    pub fn begin(context: &'a Context, known: &'a Known) -> Self {
        let seen = Seen {
            at: context.now(),
            state: None,
            problem: (!known.is_made).then_some(InstanceProblem::NotMade),
            detail: None,
            is_made: known.is_made,
            has_webhook: known.has_webhook,
            told_key: None,
            server_version: None,
            profile: None,
            instance_id: None,
            code: None,
            calls: Vec::new(),
        };
        Self { context, known, seen }
    }

    /// Finds out how the instance stands, and puts right what is missing: the instance itself, its webhooks, what is known of its number.
    ///
    /// # Errors
    /// Why nothing is known of it; `seen` has it too.
    pub async fn look(&mut self) -> Result<InstanceState, Failure> {
        if !self.seen.is_made {
            self.make().await?;
        }
        let server = self.server()?;
        let outcome = evolution::state(self.context, server, &self.known.instance_name).await;
        let state = self.keep(outcome).inspect_err(|_| {
            // Whatever it is that refuses this, it is no server that has the instance.
            self.seen.problem.get_or_insert(InstanceProblem::Unreachable);
        })?;
        self.stands(state).await;
        self.put_right().await;
        Ok(state)
    }

    /// Makes it at the server. What the server has under its name already is ours if it takes our token.
    ///
    /// # Errors
    /// Why it is not made.
    pub async fn make(&mut self) -> Result<(), Failure> {
        let Some(global) = &self.known.global else {
            let detail = "Crie a instância de novo, com a chave global do servidor.".to_owned();
            return Err(Failure::Refused { code: "no_global_key".into(), detail });
        };
        let credentials = self.credentials()?;
        let (url, name) = (webhook_url(credentials), &self.known.instance_name);
        let webhook = Webhook { url: &url, secret: &credentials.webhook_secret };
        let outcome = evolution::create(self.context, global.server(), name, &credentials.api_key, webhook).await;
        if matches!(&outcome.0, Err(Failure::Refused { code, .. }) if code == "403") {
            self.seen.calls.push(outcome.1);
            return self.recognise().await;
        }
        let made = self.keep(outcome)?;
        (self.seen.is_made, self.seen.has_webhook, self.seen.problem) = (true, true, None);
        self.seen.told_key = Some(credentials.external_key());
        self.connects(made);
        Ok(())
    }

    async fn recognise(&mut self) -> Result<(), Failure> {
        let server = self.server()?;
        let (outcome, call) = evolution::state(self.context, server, &self.known.instance_name).await;
        if matches!(&outcome, Err(Failure::Blocked { code, .. }) if code == "401") {
            self.seen.calls.push(call);
            self.seen.problem = Some(InstanceProblem::NameTaken);
            return Err(Failure::Refused { code: "name_taken".into(), detail: "This name is already in use.".into() });
        }
        // Whoever refused it, it was not for a name that is there.
        if matches!(&outcome, Err(Failure::Refused { code, .. }) if code == "404") {
            self.seen.calls.push(call);
            let detail = "O servidor não quis criar a instância.".to_owned();
            self.seen.detail = Some(detail.clone());
            return Err(Failure::Refused { code: "403".into(), detail });
        }
        self.seen.state = Some(self.keep((outcome, call))?);
        self.seen.is_made = true;
        self.seen.problem = None;
        Ok(())
    }

    /// Asks for a code; of an open instance there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn connect(&mut self, number: Option<&str>) -> Result<(), Failure> {
        if !self.seen.is_made {
            self.make().await?;
            if self.seen.code.is_some() && number.is_none() {
                self.put_right().await;
                return Ok(());
            }
        }
        let server = self.server()?;
        let outcome = evolution::connect(self.context, server, &self.known.instance_name, number).await;
        let connection = self.keep(outcome)?;
        // What webhooks told while it was asked is older.
        self.seen.at = self.context.now();
        let state = connection.state;
        self.connects(connection);
        self.stands(state).await;
        self.put_right().await;
        Ok(())
    }

    /// Connects again with the same phone.
    ///
    /// # Errors
    /// Why not.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        let server = self.server()?;
        let outcome = evolution::restart(self.context, server, &self.known.instance_name).await;
        self.keep(outcome)
    }

    /// Unlinks the phone. Where none is linked, that is what was wanted.
    ///
    /// # Errors
    /// Why not.
    pub async fn log_out(&mut self) -> Result<(), Failure> {
        let server = self.server()?;
        let (outcome, call) = evolution::log_out(self.context, server, &self.known.instance_name).await;
        let outcome = match outcome {
            Err(Failure::Refused { code, .. }) if code == "400" => Ok(()),
            outcome => outcome,
        };
        self.keep((outcome, call))?;
        self.seen.state = Some(InstanceState::Close);
        Ok(())
    }

    /// Removes it at the server. Where it is not there, that is what was wanted.
    ///
    /// # Errors
    /// Why not.
    pub async fn delete(&mut self) -> Result<(), Failure> {
        let server = self.server()?;
        let (outcome, call) = evolution::delete(self.context, server, &self.known.instance_name).await;
        self.seen.calls.push(call);
        match outcome {
            Err(Failure::Refused { code, .. }) if code == "404" => Ok(()),
            outcome => outcome,
        }
    }

    /// Asks the server for its version.
    ///
    /// # Errors
    /// Why it does not say.
    pub async fn version(&mut self) -> Result<(), Failure> {
        let server = self.server()?;
        let outcome = evolution::version(self.context, server).await;
        self.seen.server_version = self.keep(outcome)?;
        Ok(())
    }

    fn connects(&mut self, Connection { state, code, instance_id }: Connection) {
        self.seen.state = Some(state);
        self.seen.code = code;
        self.seen.instance_id = instance_id.or(self.seen.instance_id.take());
    }

    /// Whose number it is, where that may be another than before.
    async fn stands(&mut self, state: InstanceState) {
        self.seen.state = Some(state);
        let is_new = self.known.state != InstanceState::Open || self.known.display_number.is_none();
        if state == InstanceState::Open
            && is_new
            && let Ok(server) = self.server()
        {
            let (profile, call) = evolution::look_up(self.context, server, &self.known.instance_name).await;
            self.seen.calls.push(call);
            self.seen.profile = profile.ok().flatten();
            self.seen.instance_id =
                self.seen.profile.as_ref().and_then(|profile| profile.id.clone()).or(self.seen.instance_id.take());
        }
    }

    /// What may fail now and be done the next time.
    async fn put_right(&mut self) {
        if !self.seen.has_webhook
            && let Some(credentials) = &self.known.credentials
        {
            let place = (self.known.base_url.as_str(), self.known.instance_name.as_str());
            let (outcome, call) = register_webhook(self.context, place, credentials).await;
            self.seen.calls.push(call);
            self.seen.has_webhook = outcome.is_ok();
            self.seen.told_key = outcome.is_ok().then(|| credentials.external_key());
        }
        if !self.known.has_version
            && let Ok(server) = self.server()
        {
            let (version, call) = evolution::version(self.context, server).await;
            self.seen.calls.push(call);
            self.seen.server_version = version.ok().flatten();
        }
    }

    /// Sets its webhooks again where somebody has changed them at the server, or switched them off.
    pub async fn keep_webhook(&mut self) {
        let (Some(credentials), Ok(server)) = (&self.known.credentials, self.server()) else { return };
        let url = webhook_url(credentials);
        let webhook = Webhook { url: &url, secret: &credentials.webhook_secret };
        let (stands, call) = evolution::has_webhook(self.context, server, &self.known.instance_name, webhook).await;
        self.seen.calls.push(call);
        if stands == Ok(false) {
            self.seen.has_webhook = false;
            self.put_right().await;
        }
    }

    fn credentials(&self) -> Result<&'a Credentials, Failure> {
        let unopened =
            || Failure::Blocked { code: "credentials".into(), detail: "The channel's credentials do not open.".into() };
        self.known.credentials.as_ref().ok_or_else(unopened)
    }

    fn server(&self) -> Result<Server<'a>, Failure> {
        Ok(Server { base_url: &self.known.base_url, api_key: &self.credentials()?.api_key })
    }

    /// Keeps a call, and what it says of the instance.
    /// Without the keys that the server may repeat in its words, whichever of them it is.
    fn masked(&self, failure: Failure) -> Failure {
        let own = self.known.credentials.as_ref().map(|own| [&own.api_key, &own.webhook_secret, &own.webhook_token]);
        let keys: Vec<&String> =
            own.into_iter().flatten().chain(self.known.global.as_ref().map(|global| &global.api_key)).collect();
        let mask = |words: String| keys.iter().fold(words, |words, key| words.replace(key.as_str(), "••••"));
        match failure {
            Failure::Refused { code, detail } => Failure::Refused { code, detail: mask(detail) },
            Failure::Blocked { code, detail } => Failure::Blocked { code, detail: mask(detail) },
            Failure::Unknown { reason } => Failure::Unknown { reason: mask(reason) },
            busy @ Failure::Busy { .. } => busy,
        }
    }

    fn keep<T>(&mut self, (outcome, call): Outcome<T>) -> Result<T, Failure> {
        self.seen.calls.push(call);
        let outcome = outcome.map_err(|failure| self.masked(failure));
        let problem = match &outcome {
            Ok(_) => self.seen.problem.filter(|problem| *problem == InstanceProblem::NotMade && !self.seen.is_made),
            Err(Failure::Blocked { code, .. }) if code == "401" => Some(InstanceProblem::KeyRefused),
            Err(Failure::Refused { code, .. }) if code == "404" => Some(InstanceProblem::Missing),
            // The server works, and did not do this.
            Err(Failure::Refused { .. }) => self.seen.problem,
            Err(_) => Some(InstanceProblem::Unreachable),
        };
        self.seen.detail = match &outcome {
            Ok(_) => None,
            Err(Failure::Refused { detail, .. } | Failure::Blocked { detail, .. }) => Some(detail.clone()),
            Err(Failure::Busy { code: reason, .. } | Failure::Unknown { reason }) => Some(reason.clone()),
        };
        self.seen.problem = problem;
        if problem == Some(InstanceProblem::Missing) {
            self.seen.state = Some(InstanceState::Close);
        }
        outcome
    }
}

/// Removes an instance at its server, which is done before it is removed here: whoever is interrupted asks again, and the server has it no more.
/// Answers whether it is gone there, which whoever forces it does without.
///
/// # Errors
/// Why it is not, as its caller is told of it.
pub async fn remove_there(context: &Context, known: &Known, is_forced: bool) -> Result<bool, Error> {
    if !known.is_made && is_forced {
        return Ok(false);
    }
    let gone = Visit::begin(context, known).delete().await;
    if is_forced { Ok(gone.is_ok()) } else { gone.map(|()| true).map_err(crate::refuse) }
}
