//! The inbox's filters and the statement each combination of them becomes.

use shared::{cursor::EARLIEST, intern, prelude::*};

use crate::{
    Conversation, Priority, conversation_columns, conversation_joins,
    filter_words::{self, categories_of, channels_of},
    search,
};

/// What is asked for of times: Postgres and people know no others.
const THIS_MILLENNIUM_OR_THE_LAST: &str = "^[12][0-9]{3}-";

/// What `GET /conversations` may ask for, in the order of the last messages.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
pub struct ConversationFilters {
    /// `bot`, `pending`, `active`, `closed`, `open` (bot and active), `waiting` (pending), in any case; any of several.
    #[garde(custom(filter_words::categories))]
    #[schemars(with = "Option<CommaSeparated<filter_words::Category>>")]
    category: Option<CommaSeparated<String>>,
    /// Another name of `category`; both must ask for the same.
    #[garde(custom(filter_words::categories), custom(filter_words::same_categories(&self.category)))]
    #[schemars(with = "Option<CommaSeparated<filter_words::Category>>")]
    status: Option<CommaSeparated<String>>,
    /// `me`, `none` or a user's id; any of several.
    #[garde(custom(filter_words::users(&["me", "none"])))]
    #[schemars(with = "Option<CommaSeparated<filter_words::Holder>>")]
    assignee: Option<CommaSeparated<String>>,
    /// `me` or a user's id: what they have ever held or written in; any of several.
    #[garde(custom(filter_words::users(&["me"])))]
    #[schemars(with = "Option<CommaSeparated<filter_words::Handler>>")]
    handled_by: Option<CommaSeparated<String>>,
    /// A department's id; any of several.
    #[garde(skip)]
    department: Option<CommaSeparated<Uuid>>,
    /// A channel account's id or kind (`whatsapp_cloud`, `evolution`, `botconversa`, `widget`), or `whatsapp` for the first three; any of
    /// several.
    #[garde(custom(filter_words::channels))]
    #[schemars(with = "Option<CommaSeparated<filter_words::ChannelWord>>")]
    channel: Option<CommaSeparated<String>>,
    /// One of its tags; any of several.
    #[garde(skip)]
    tag: Option<CommaSeparated<String>>,
    /// Any of several.
    #[garde(skip)]
    priority: Option<CommaSeparated<Priority>>,
    #[garde(skip)]
    unread: Option<bool>,
    /// What the caller follows, or does not.
    #[garde(skip)]
    participating: Option<bool>,
    /// Put off, or not.
    #[garde(skip)]
    snoozed: Option<bool>,
    /// A protocol number, part of the client's name (of fewer than three letters: the beginning of a word of it), phone in any format, e-mail, or
    /// words of a message.
    #[garde(length(chars, max = 100))]
    search: Option<String>,
    /// Last message at or after.
    #[garde(inner(custom(not_too_early)))]
    #[schemars(regex(pattern = THIS_MILLENNIUM_OR_THE_LAST))]
    from: Option<Timestamp>,
    /// Last message before.
    #[garde(inner(custom(not_too_early)))]
    #[schemars(regex(pattern = THIS_MILLENNIUM_OR_THE_LAST))]
    to: Option<Timestamp>,
}

/// The page before it is shown: what is joined to it is read for its rows alone.
const LIST: &str =
    concat!("select ", conversation_columns!(), " from (select * from (select conversations.* from conversations where true ");

/// For each filter: the condition when it is asked for, and one that only names its parameter when it is not.
const CONDITIONS: [[&str; 2]; 14] = [
    ["and conversations.status = any ($1::text[]) ", "and $1::text[] is null "],
    ["and conversations.assignee_id = any ($2::uuid[]) ", "and $2::uuid[] is null "],
    ["and conversations.department_id = any ($3::uuid[]) ", "and $3::uuid[] is null "],
    [
        // Where there is none, nothing is walked through.
        "and exists (select from channel_accounts where channel_accounts.id = any ($4::uuid[]) or channel_accounts.kind = any ($15::text[]))
         and conversations.channel_account_id = any (array(
             select channel_accounts.id from channel_accounts
              where channel_accounts.id = any ($4::uuid[]) or channel_accounts.kind = any ($15::text[]))) ",
        "and $4::uuid[] is null and $15::text[] is null ",
    ],
    ["and conversations.tags && $5::text[] ", "and $5::text[] is null "],
    ["and conversations.priority = any ($6::text[]) ", "and $6::text[] is null "],
    ["and (conversations.inbound_count > conversations.read_count) = $7::boolean ", "and $7::boolean is null "],
    ["", "and $8::text is null and $9::text[] is null "],
    ["and conversations.last_message_at >= $10::timestamptz ", "and $10::timestamptz is null "],
    ["and conversations.last_message_at < $11::timestamptz ", "and $11::timestamptz is null "],
    [
        "and (conversations.last_message_at, conversations.id) < ($12::timestamptz, $13::uuid) ",
        "and $12::timestamptz is null and $13::uuid is null ",
    ],
    [
        "and exists (select from conversation_handlers handlers
                      where handlers.company_id = conversations.company_id and handlers.conversation_id = conversations.id
                        and handlers.user_id = any ($16::uuid[])) ",
        "and $16::uuid[] is null ",
    ],
    ["and (conversations.snoozed_at is null) <> $17::boolean ", "and $17::boolean is null "],
    [NOT_FOLLOWED, "and $18::boolean is null "],
];

const NOT_FOLLOWED: &str = "and (select app.user_id()) <> all (conversations.participant_ids) and not $18::boolean ";

/// What is followed is found by its own index.
const FOLLOWED: &str = "and conversations.id = any ((select app.followed_conversations())::uuid[]) and $18::boolean ";

/// What somebody has handled is looked up by themselves while it is little: the newest of all would be walked through for it.
const HANDLED: &str = "and conversations.id = any ($16::uuid[]) ";

/// Up to a thousand; of more, the newest are found soon.
const FEW_HANDLED: &str = "
    select array_agg(conversation_id) as ids
      from (select conversation_id
              from conversation_handlers
             where company_id = app.company_id() and user_id = any ($1)
             limit 1001) handled
    having count(*) <= 1000";

/// Nothing else is written like it.
const PROTOCOL: &str = "and conversations.protocol = btrim($8::text) and $9::text[] is not null ";

/// What is put off has an index.
const SNOOZED: &str = "and conversations.snoozed_at is not null and $17::boolean is not null ";

/// One category is compared as a value, so that its index gives the order as well; as one the planner does not know, which would
/// rather look for closed conversations, most of all, behind every open one.
const ONE_CATEGORY: &str = "and conversations.status = (select ($1::text[])[1]) ";

/// One holder is compared as a value too.
const ONE_HOLDER: &str = "and conversations.assignee_id = ($2::uuid[])[1] ";

/// Equality finds nobody's conversations no more than `is not distinct from` uses an index.
const NOBODY: &str = "and conversations.assignee_id is null and $2::uuid[] is not null ";

const NOBODY_OR_ONE_OF: &str = "and (conversations.assignee_id is null or conversations.assignee_id = any ($2::uuid[])) ";

const NEWEST_FIRST: &str = "order by conversations.last_message_at desc, conversations.id desc ";

const OLDEST_FIRST: &str = "order by conversations.last_message_at, conversations.id ";

/// The next page when the oldest come first.
const NEWER: &str = "and (conversations.last_message_at, conversations.id) > ($12::timestamptz, $13::uuid) ";

/// What is searched for among those that meet all other conditions, which stand between these two.
const SEARCH: [&str; 2] = [
    "and conversations.id = any ((
         select app.find_conversations($8, $9, array(select conversations.id from conversations where true ",
    "limit 1000), 1000, $14))::uuid[]) ",
];

/// The inner limit tells the planner how few rows are wanted: without it, every request would be planned anew.
const PAGE: &str = concat!("limit 101) conversations limit $14::bigint) conversations ", conversation_joins!(), " ");

/// Their number, under the same conditions.
const COUNT: [&str; 2] = ["select count(*) from (select from conversations where true ", "limit $14::bigint) conversations"];

#[derive(FromRow)]
struct Counted {
    count: i64,
}

#[derive(FromRow)]
struct FewHandled {
    /// None of nothing.
    ids: Option<Vec<Uuid>>,
}

/// Filters read and checked.
#[derive(Debug)]
pub struct AskedConversations {
    categories: Option<Vec<String>>,
    assignees: Option<Vec<Uuid>>,
    /// What nobody holds is asked for, alone or besides.
    is_nobodys: bool,
    departments: Option<Vec<Uuid>>,
    channels: Option<Vec<Uuid>>,
    channel_kinds: Option<Vec<String>>,
    handled_by: Option<Vec<Uuid>>,
    tags: Option<Vec<String>>,
    priorities: Option<Vec<&'static str>>,
    numbers: Option<Vec<String>>,
    /// The page, and the filters that are used as they are.
    pub list: List<ConversationFilters>,
}

impl AskedConversations {
    /// Reads the words that stand for something else: `me`, lists.
    #[must_use]
    pub fn read(mut list: List<ConversationFilters>, caller: Uuid) -> Self {
        let filters = &mut list.filters;
        filters.search = filters.search.take().filter(|text| !text.is_empty());
        let users = |words: Vec<String>| words.iter().filter_map(|word| filter_words::user_named(word, caller)).collect();
        let assignees = values(filters.assignee.take());
        let (channels, channel_kinds) = values(filters.channel.take()).as_deref().map(channels_of).unzip();
        Self {
            categories: values(filters.category.take()).or(values(filters.status.take())).as_deref().map(categories_of),
            is_nobodys: assignees.iter().flatten().any(|word| word == "none"),
            assignees: assignees.map(users),
            handled_by: values(filters.handled_by.take()).map(users),
            departments: values(filters.department.take()),
            channels,
            channel_kinds,
            tags: values(filters.tag.take()),
            priorities: values(filters.priority.take()).map(|asked| asked.into_iter().map(Priority::as_str).collect()),
            numbers: filters.search.as_deref().map(search::numbers),
            list,
        }
    }

    /// The page, one row longer when there are more.
    pub async fn run(&self, transaction: &Transaction) -> Result<Vec<Conversation>, Error> {
        let few = self.few_handled(transaction).await?;
        self.ask(transaction, self.statement(few.is_some()), few.as_ref()).await
    }

    /// The conversations that those asked for have handled; `None` of many, and where nobody is asked for.
    async fn few_handled(&self, transaction: &Transaction) -> Result<Option<Vec<Uuid>>, Error> {
        let Some(users) = &self.handled_by else { return Ok(None) };
        let few: Option<FewHandled> = transaction.first(FEW_HANDLED, &[users]).await?;
        Ok(few.map(|few| few.ids.unwrap_or_default()))
    }

    /// How many there are, up to as many as were wanted, of what asks for no words.
    pub async fn count(&self, transaction: &Transaction) -> Result<i64, Error> {
        let few = self.few_handled(transaction).await?;
        let conditions = self.conditions(few.is_some());
        let mut pieces = vec![COUNT[0]];
        pieces.extend(&conditions);
        pieces.push(COUNT[1]);
        let counted: Vec<Counted> = self.ask(transaction, intern(&pieces), few.as_ref()).await?;
        Ok(counted.first().map_or(0, |counted| counted.count))
    }

    async fn ask<T: FromRow>(
        &self,
        transaction: &Transaction,
        statement: &'static str,
        few_handled: Option<&Vec<Uuid>>,
    ) -> Result<Vec<T>, Error> {
        let Self { categories, assignees, departments, channels, channel_kinds, .. } = self;
        let Self { handled_by, tags, priorities, numbers, list, .. } = self;
        let List { filters, at, id, wanted, .. } = list;
        let ConversationFilters { unread, snoozed, participating, search, from, to, .. } = filters;
        transaction
            .all(
                statement,
                &[
                    categories,
                    assignees,
                    departments,
                    channels,
                    tags,
                    priorities,
                    unread,
                    search,
                    numbers,
                    from,
                    to,
                    at,
                    id,
                    wanted,
                    channel_kinds,
                    &few_handled.or(handled_by.as_ref()),
                    snoozed,
                    participating,
                ],
            )
            .await
    }

    /// What is asked for, in the order of `CONDITIONS`; with `few_handled` by the conversations that were handled.
    fn conditions(&self, few_handled: bool) -> Vec<&'static str> {
        let List { filters, order, at, .. } = &self.list;
        let asked = [
            self.categories.is_some(),
            self.assignees.is_some(),
            self.departments.is_some(),
            self.channels.is_some(),
            self.tags.is_some(),
            self.priorities.is_some(),
            filters.unread.is_some(),
            filters.search.is_some(),
            filters.from.is_some(),
            filters.to.is_some(),
            at.is_some(),
            self.handled_by.is_some(),
            filters.snoozed.is_some(),
            filters.participating.is_some(),
        ];
        let mut conditions: Vec<_> =
            CONDITIONS.iter().zip(asked).map(|(condition, is_asked)| condition[usize::from(!is_asked)]).collect();
        if self.categories.as_ref().is_some_and(|categories| categories.len() == 1) {
            conditions[0] = ONE_CATEGORY;
        }
        match (self.assignees.as_deref(), self.is_nobodys) {
            (Some([_]), false) => conditions[1] = ONE_HOLDER,
            (Some([]), true) => conditions[1] = NOBODY,
            (Some(_), true) => conditions[1] = NOBODY_OR_ONE_OF,
            _ => {}
        }
        if *order == Order::Asc && at.is_some() {
            conditions[10] = NEWER;
        }
        if few_handled {
            conditions[11] = HANDLED;
        }
        if filters.snoozed == Some(true) {
            conditions[12] = SNOOZED;
        }
        if filters.participating == Some(true) {
            conditions[13] = FOLLOWED;
        }
        if self.is_for_protocol() {
            conditions[7] = PROTOCOL;
        }
        conditions
    }

    /// Whether a number is searched for, which is no word of anybody's.
    fn is_for_protocol(&self) -> bool {
        self.list.filters.search.as_deref().is_some_and(search::is_protocol)
    }

    fn searches_words(&self) -> bool {
        self.list.filters.search.is_some() && !self.is_for_protocol()
    }

    fn statement(&self, few_handled: bool) -> &'static str {
        let order = if self.list.order == Order::Asc { OLDEST_FIRST } else { NEWEST_FIRST };
        let conditions = self.conditions(few_handled);
        let mut pieces = vec![LIST];
        pieces.extend(&conditions);
        if self.searches_words() {
            pieces.push(SEARCH[0]);
            pieces.extend(&conditions);
            pieces.extend([order, SEARCH[1]]);
        }
        pieces.extend([order, PAGE, order]);
        intern(&pieces)
    }
}

/// What was asked for; nothing between the commas asks for nothing.
fn values<T>(list: Option<CommaSeparated<T>>) -> Option<Vec<T>> {
    list.map(|CommaSeparated(values)| values).filter(|values| !values.is_empty())
}

fn not_too_early(time: &Timestamp, (): &()) -> garde::Result {
    if *time >= EARLIEST {
        return Ok(());
    }
    Err(shared::rule("too_small", "Use uma data a partir do ano 1.", "Use a date from the year 1 on."))
}
