//! The checks of set-up: what the database knows is judged by plain rules, everything else is asked, all at the same time.

use std::time::Duration;

use futures_util::future::{BoxFuture, join_all, try_join3};
use jiff::SignedDuration;
use shared::{
    calendar::{Calendar, Written},
    environment::variable,
    prelude::*,
    settings::MailServer,
    whatsapp::{self, Account, Credentials, Failure},
};
use system::{
    mail::{self, Account as MailAccount, Step as MailStep},
    mail_account_columns,
};

use crate::{
    SetupRow, ai, setup_columns,
    steps::{
        Finding,
        StepKey::{
            self, Ai, Bot, Calendar as CalendarStep, Channel, Departments, FrontEnd, Mail, Queue as QueueStep, Scheduler,
            Storage, Webhooks,
        },
        StepState::{Failing, Missing, Warning},
    },
};

/// How long one of the outside is waited for. All are asked together, so that it is how long the answer takes.
const PATIENCE: Duration = Duration::from_secs(4);

/// Channels that are asked about, the newest first.
const MOST_CHANNELS: i64 = 20;

/// The dispatcher runs every minute.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_mins(5);

const SETUP: &str = concat!(
    "select ",
    setup_columns!(),
    ", ",
    mail_account_columns!(),
    ", companies.id as company_id, company_secrets.sealed as ai_sealed
      from companies
      left join mail_accounts account on account.company_id = companies.id
      left join company_setup on company_setup.company_id = companies.id
      left join company_secrets on company_secrets.company_id = companies.id and company_secrets.name = 'ai'
     where companies.id = app.company_id()"
);

const CHANNELS: &str = "
    select channel_accounts.id, channel_accounts.name, channel_accounts.external_key, channel_credentials.sealed
      from channel_accounts
      left join channel_credentials on channel_credentials.channel_account_id = channel_accounts.id
     where kind = 'whatsapp_cloud' and status <> 'disabled'
     order by created_at desc, id
     limit $1";

const FACTS: &str = "
    select (select count(*) from departments where deleted_at is null) as departments,
           (select coalesce(array_agg(name order by name), '{}')
              from departments
             where deleted_at is null and not exists (select from department_members where department_id = departments.id)) as without_members,
           exists (select from bot_flows where published_at is not null and removed_at is null) as has_flow,
           exists (select from channel_accounts where bot_flow_id is not null and status <> 'disabled') as has_bot,
           (select received_at from inbound_webhooks where received_at > now() - interval '1 day' order by received_at desc limit 1) as last_webhook,
           (select run_at from schedule_runs where name = 'dispatch_due_jobs') as last_run,
           app.calendar_of(null) as calendar";

/// What the database knows.
#[derive(Clone, Debug, Default, FromRow)]
pub struct Facts {
    departments: i64,
    without_members: Vec<String>,
    has_flow: bool,
    has_bot: bool,
    last_webhook: Option<Timestamp>,
    last_run: Option<Timestamp>,
    calendar: Option<Value>,
}

#[derive(FromRow)]
struct KnownSetup {
    #[from_row(flatten)]
    row: SetupRow,
    #[from_row(flatten)]
    mail: MailAccount,
    company_id: Uuid,
    ai_sealed: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct KnownChannel {
    id: Uuid,
    name: String,
    external_key: String,
    sealed: Option<Vec<u8>>,
}

/// All that is asked about.
pub struct Known {
    setup: KnownSetup,
    channels: Vec<KnownChannel>,
    facts: Facts,
}

/// Reads what is to be checked, in one flight.
///
/// # Errors
/// As the database fails.
pub async fn read(transaction: &Transaction) -> Result<Known, Error> {
    let (setup, channels, facts) =
        try_join3(transaction.one(SETUP, &[]), transaction.all(CHANNELS, &[&MOST_CHANNELS]), transaction.one(FACTS, &[])).await?;
    Ok(Known { setup, channels, facts })
}

/// Checks everything at the same time, in the order in which it is shown.
pub async fn check_all(context: &Context, known: &Known) -> Vec<Finding> {
    let now = context.now();
    let facts = &known.facts;
    let checks: Vec<BoxFuture<'_, Finding>> = vec![
        within(Channel, channels(context, &known.channels)),
        said(webhooks(facts, !known.channels.is_empty())),
        said(bot(facts)),
        said(departments(facts)),
        said(calendar(facts.calendar.clone(), now)),
        within(Ai, language_model(context, &known.setup)),
        within(Mail, mail_server(context, &known.setup)),
        within(FrontEnd, front_end(context, known.setup.row.front_end_origin.as_deref())),
        within(Storage, bucket(context)),
        within(QueueStep, queue(context)),
        said(scheduler(facts, now)),
    ];
    join_all(checks).await
}

fn said(finding: Finding) -> BoxFuture<'static, Finding> {
    Box::pin(std::future::ready(finding))
}

/// A check that ends in time.
fn within<'a>(key: StepKey, check: impl Future<Output = Finding> + Send + 'a) -> BoxFuture<'a, Finding> {
    Box::pin(async move {
        let late = |_| Finding::other(key, Failing, "Não respondeu a tempo.", "It did not answer in time.");
        tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(late)
    })
}

async fn channels(context: &Context, channels: &[KnownChannel]) -> Finding {
    if channels.is_empty() {
        return Finding::other(Channel, Missing, "Nenhum número do WhatsApp está conectado.", "No WhatsApp number is connected.")
            .to_do("Conecte um número com o token dele.", "Connect a number with its token.", "/integrations/config");
    }
    let asked = join_all(channels.iter().map(|channel| ask_channel(context, channel))).await;
    judge_channels(channels.iter().map(|channel| channel.name.as_str()).zip(asked))
}

/// What WhatsApp says of a number to the token that is kept for it; `None` when that opens no more.
async fn ask_channel(context: &Context, channel: &KnownChannel) -> Option<Failure> {
    let sealed = channel.sealed.as_deref().unwrap_or_default();
    let refused = |code: &str| Some(Failure::Blocked { code: code.to_owned(), detail: String::new() });
    let Some(credentials) = Credentials::open(&context.secrets().encryption_keys, channel.id, sealed) else {
        return refused("no_token");
    };
    let account = Account { phone_number_id: channel.external_key.clone(), credentials };
    whatsapp::look_up_number(context, &account).await.0.err()
}

fn judge_channels<'a>(asked: impl Iterator<Item = (&'a str, Option<Failure>)>) -> Finding {
    let (mut refused, mut silent, mut well) = (Vec::new(), Vec::new(), 0);
    for (name, failure) in asked {
        match failure {
            None => well += 1,
            Some(Failure::Refused { .. } | Failure::Blocked { .. }) => refused.push(name),
            Some(Failure::Busy { .. } | Failure::Unknown { .. }) => silent.push(name),
        }
    }
    if !refused.is_empty() {
        let names = refused.join(", ");
        return Finding::other(
            Channel,
            Failing,
            format!("O WhatsApp recusa o token de: {names}."),
            format!("WhatsApp refuses the token of: {names}."),
        )
        .to_do(
            "Gere outro token e salve o canal de novo.",
            "Make another token and save the channel again.",
            "/integrations/config",
        );
    }
    if !silent.is_empty() {
        let names = silent.join(", ");
        return Finding::other(
            Channel,
            Warning,
            format!("O WhatsApp não respondeu sobre: {names}."),
            format!("WhatsApp did not answer about: {names}."),
        )
        .to_do("Verifique de novo em alguns minutos.", "Check again in a few minutes.", "/setup/status");
    }
    Finding::ok(Channel, format!("{well} número(s) conectado(s)."), format!("{well} number(s) connected."))
}

fn webhooks(facts: &Facts, has_channel: bool) -> Finding {
    if facts.last_webhook.is_some() {
        return Finding::ok(
            Webhooks,
            "O WhatsApp avisou algo nas últimas 24 horas.",
            "WhatsApp told something in the last 24 hours.",
        );
    }
    let state = if has_channel { Warning } else { Missing };
    Finding::other(
        Webhooks,
        state,
        "Nada chegou do WhatsApp nas últimas 24 horas.",
        "Nothing came from WhatsApp in the last 24 hours.",
    )
    .to_do(
        "Confira o endereço do webhook no painel da Meta e mande uma mensagem de teste.",
        "Check the webhook's address in Meta's dashboard and send a test message.",
        "/inbound-webhooks",
    )
}

fn bot(facts: &Facts) -> Finding {
    if facts.has_bot {
        return Finding::ok(Bot, "Um canal começa pelo robô.", "A channel begins with the bot.");
    }
    if facts.has_flow {
        return Finding::other(
            Bot,
            Warning,
            "Há um fluxo publicado, e nenhum canal o usa.",
            "A flow is published, and no channel uses it.",
        )
        .to_do("Escolha o fluxo no canal.", "Choose the flow in the channel.", "/integrations/config");
    }
    Finding::other(
        Bot,
        Missing,
        "Nenhum fluxo está publicado: tudo vai direto para a equipe.",
        "No flow is published: all goes to people.",
    )
    .to_do("Crie o fluxo inicial.", "Make the starter flow.", "/setup/infrastructure")
}

fn departments(facts: &Facts) -> Finding {
    if facts.departments == 0 {
        return Finding::other(Departments, Missing, "Não há departamentos.", "There are no departments.").to_do(
            "Crie os departamentos iniciais, ou os seus.",
            "Make the first departments, or your own.",
            "/setup/infrastructure",
        );
    }
    if facts.without_members.is_empty() {
        let count = facts.departments;
        return Finding::ok(
            Departments,
            format!("{count} departamento(s), todos com gente."),
            format!("{count} department(s), all with people."),
        );
    }
    let names = facts.without_members.join(", ");
    Finding::other(Departments, Warning, format!("Ninguém está em: {names}."), format!("Nobody is in: {names}.")).to_do(
        "Ponha alguém em cada departamento.",
        "Put somebody in each department.",
        "/departments",
    )
}

fn calendar(written: Option<Value>, now: Timestamp) -> Finding {
    let Some(written) = written.and_then(Written::read) else {
        return Finding::other(
            CalendarStep,
            Missing,
            "Nenhum horário foi salvo: a empresa está sempre aberta.",
            "No hours were saved: the company is always open.",
        )
        .to_do(
            "Salve o horário de atendimento, ou crie o usual.",
            "Save when the company works, or make the usual hours.",
            "/calendar",
        );
    };
    let calendar = Calendar::from(written);
    if calendar.is_open_at(now) {
        return Finding::ok(CalendarStep, "A empresa está aberta agora.", "The company is open now.");
    }
    match calendar.next_open_at(now) {
        Ok(next) => {
            let next = calendar.zone.to_datetime(next).strftime("%d/%m/%Y %H:%M").to_string();
            Finding::ok(CalendarStep, format!("A empresa abre em {next}."), format!("The company opens on {next}."))
        }
        Err(_) => Finding::other(
            CalendarStep,
            Failing,
            "Não há nenhuma hora aberta no próximo ano.",
            "There is no open hour in the coming year.",
        )
        .to_do("Corrija o horário de atendimento.", "Mend when the company works.", "/calendar"),
    }
}

fn scheduler(facts: &Facts, now: Timestamp) -> Finding {
    if facts.last_run.is_some_and(|at| now.duration_since(at) < LONGEST_SILENCE) {
        return Finding::ok(Scheduler, "As tarefas agendadas estão rodando.", "Scheduled work is running.");
    }
    Finding::other(
        Scheduler,
        Failing,
        "As tarefas agendadas não rodam há mais de 5 minutos.",
        "Scheduled work has not run for over 5 minutes.",
    )
    .to_do("Avise quem opera o sistema.", "Tell whoever runs the system.", "/health")
}

async fn language_model(context: &Context, setup: &KnownSetup) -> Finding {
    let (Some(base_url), Some(model)) = (&setup.row.ai_base_url, &setup.row.ai_model) else {
        return Finding::other(Ai, Missing, "Nenhum modelo de linguagem está configurado.", "No language model is configured.")
            .to_do(
                "Informe endereço, modelo e chave, se quiser usar IA.",
                "Give address, model and key, to use AI.",
                "/setup/config",
            );
    };
    let sealed = setup.ai_sealed.as_deref().unwrap_or_default();
    let key = shared::ai::open(&context.secrets().encryption_keys, setup.company_id, sealed).unwrap_or_default();
    judge_model(&ai::ask(context, base_url, &key, model).await, model)
}

fn judge_model(answer: &ai::Answer, model: &str) -> Finding {
    let failing = |portuguese: String, english: String| Finding::other(Ai, Failing, portuguese, english);
    let finding = match answer {
        ai::Answer::Listed => {
            return Finding::ok(Ai, format!("O provedor oferece {model}."), format!("The provider offers {model}."));
        }
        ai::Answer::NoSuchModel => {
            failing(format!("O provedor não oferece {model}."), format!("The provider does not offer {model}."))
        }
        ai::Answer::Refused => failing("O provedor recusa a chave.".into(), "The provider refuses the key.".into()),
        ai::Answer::Strange(status) => {
            failing(format!("O provedor respondeu {}.", status.as_u16()), format!("The provider answered {}.", status.as_u16()))
        }
        ai::Answer::Silent(code) => {
            failing(format!("O endereço não responde ({code})."), format!("The address does not answer ({code})."))
        }
    };
    finding.to_do("Corrija endereço, modelo ou chave.", "Mend address, model or key.", "/setup/config")
}

/// The server that takes the company's mails: whether it lets us in.
async fn mail_server(context: &Context, setup: &KnownSetup) -> Finding {
    match setup.mail.server(context, setup.company_id) {
        Ok(None) => Finding::other(Mail, Missing, "Nenhum servidor envia os e-mails.", "No server sends mails.").to_do(
            "Informe o servidor de e-mail da empresa.",
            "Give the company's mail server.",
            "/setup/config",
        ),
        Ok(Some(server)) => judge_mail(mail::check(&server).await.err(), &server),
        Err(_) => Finding::other(Mail, Failing, "A senha guardada não abre mais.", "The password that is kept opens no more.")
            .to_do("Informe a senha de novo.", "Give the password again.", "/setup/config"),
    }
}

fn judge_mail(failure: Option<mail::Failure>, server: &MailServer) -> Finding {
    let (host, is_own) = (&server.host, server.is_typed);
    let Some(mail::Failure { step, said, .. }) = failure else {
        return if is_own {
            Finding::ok(Mail, format!("{host} aceita o acesso."), format!("{host} lets us in."))
        } else {
            Finding::ok(Mail, "Os e-mails saem pelo servidor do sistema.", "Mails go by the system's server.")
        };
    };
    if !is_own {
        return operated(Mail, false, "O servidor de e-mail do sistema", "The system's mail server");
    }
    let (portuguese, english) = match step {
        MailStep::Address(refusal) => {
            let (portuguese, english) = refusal.texts();
            (format!("{host}: {portuguese}"), format!("{host}: {english}"))
        }
        MailStep::Login => (format!("{host} recusa o usuário ou a senha."), format!("{host} refuses the name or the password.")),
        MailStep::Encryption => (
            format!("{host} não cifra a conexão, ou o certificado não é dele."),
            format!("{host} does not encrypt, or the certificate is not its own."),
        ),
        MailStep::Connection | MailStep::Sender | MailStep::Mail => {
            (format!("{host} não responde ({said})."), format!("{host} does not answer ({said})."))
        }
    };
    Finding::other(Mail, Failing, portuguese, english).to_do(
        "Confira servidor, porta, usuário e senha.",
        "Check server, port, name and password.",
        "/setup/config",
    )
}

/// Where the front end is: whether it answers, and whether browsers may call this API from there.
async fn front_end(context: &Context, origin: Option<&str>) -> Finding {
    let Some(origin) = origin else {
        return Finding::other(
            FrontEnd,
            Missing,
            "O endereço do painel não foi informado.",
            "The front end's address is not given.",
        )
        .to_do("Informe onde a equipe abre o painel.", "Give where the team opens the front end.", "/setup/config");
    };
    let url = format!("{}/health", variable("PUBLIC_API_URL").trim_end_matches('/'));
    let preflight = context.http().request(reqwest::Method::OPTIONS, url).header("origin", origin);
    let asked =
        preflight.header("access-control-request-method", "GET").header("access-control-request-headers", "authorization");
    let is_allowed = match asked.send().await {
        Ok(answer) => {
            let allowed = answer.headers().get("access-control-allow-origin").and_then(|value| value.to_str().ok());
            allowed.is_some_and(|allowed| allowed == "*" || allowed == origin)
        }
        Err(_) => false,
    };
    if !is_allowed {
        return Finding::other(
            FrontEnd,
            Failing,
            format!("Os navegadores não podem chamar a API a partir de {origin}."),
            format!("Browsers may not call the API from {origin}."),
        )
        .to_do("Peça que a origem entre em AllowedOrigins.", "Have the origin added to AllowedOrigins.", "/setup/config");
    }
    let answers = match context.call_outside(reqwest::Method::GET, origin).await {
        Ok(request) => request.send().await.is_ok_and(|answer| !answer.status().is_server_error()),
        Err(_) => false,
    };
    if answers {
        return Finding::ok(FrontEnd, format!("{origin} responde."), format!("{origin} answers."));
    }
    Finding::other(FrontEnd, Warning, format!("{origin} não responde."), format!("{origin} does not answer.")).to_do(
        "Confira se o painel está publicado.",
        "Check that the front end is published.",
        "/setup/config",
    )
}

async fn bucket(context: &Context) -> Finding {
    let reached = context.aws().files().head_bucket().bucket(variable("FILES_BUCKET")).send().await.is_ok();
    operated(Storage, reached, "O armazenamento de arquivos", "The storage of files")
}

async fn queue(context: &Context) -> Finding {
    let reached = context.aws().queues().get_queue_attributes().queue_url(Queue::Delivery.url()).send().await.is_ok();
    operated(QueueStep, reached, "A fila de tarefas", "The queue of jobs")
}

/// What nobody sets up in a company.
fn operated(key: StepKey, is_well: bool, portuguese: &str, english: &str) -> Finding {
    if is_well {
        return Finding::ok(key, format!("{portuguese} responde."), format!("{english} answers."));
    }
    Finding::other(key, Failing, format!("{portuguese} não responde."), format!("{english} does not answer.")).to_do(
        "Avise quem opera o sistema.",
        "Tell whoever runs the system.",
        "/health",
    )
}

#[cfg(test)]
mod tests;
