//! What articles mean, compared by pgvector where the database has it, and by signs where it has not: the same tests run on either.

use std::sync::Arc;

use serde_json::Value;
use tests::{Company, Stack};
use tokio_postgres::Client;
use uuid::Uuid;

use super::company;

/// Articles, from which on a company has an index of its own.
const MANY: i32 = 2_100;

/// Articles whose embeddings have the signs of what is asked and mean it less and less, and one that means it but for the sign of a part that is next to
/// nothing. `$2` is their number, `$3` how many numbers an embedding has.
const MADE: &str = "
    with made as (
        insert into knowledge_articles (id, company_id, title, answer, status, lines, terms, weights)
        select gen_random_uuid(), $1, 'Artigo ' || number, 'Resposta', 'active', array[''], '{}', '{}'
          from generate_series(0, $2) number
        returning id, title
    )
    insert into knowledge_embeddings (company_id, article_id, model, version, signs, embedding)
    select $1, id, 'um', 1, string_agg(case when part > 0 then '1' else '0' end, '' order by place)::bit varying, array_agg(part order by place)
      from made
     cross join lateral (
         select place, case when title <> 'Artigo 0' then case place when 1 then cos(angle) when 2 then sin(angle) else 0.01 end
                            when place = 1 then 1 when place = $3 then -0.001 else 0.01 end::real as part
           from (select 0.02 + 1.5 * substr(title, 8)::integer / $2 as angle) told
          cross join generate_series(1, $3) place) parts
     group by id";

const ASKED: &str = "
    select app.find_knowledge('{}', '{}', '{}', 'agents', 50, repeat('1', $1), 'um',
                              array(select case place when 1 then 1 else 0.01 end::real from generate_series(1, $1) place)) as found";

/// Whether the one that means it is found, of so many.
async fn is_found(database: &mut Client, company: Uuid, length: i32) -> bool {
    let transaction = entered(database, company).await;
    let found: Value = transaction.query_one(ASKED, &[&length]).await.expect("an answer").get(0);
    transaction.commit().await.expect("it has looked");
    let ids: Vec<Uuid> = found["articles"]
        .as_array()
        .expect("articles")
        .iter()
        .filter_map(|article| article["id"].as_str()?.parse().ok())
        .collect();
    assert!(ids.len() >= 50, "as many as are judged");
    let titles = "select count(*) from knowledge_articles where id = any ($1) and title = 'Artigo 0' and company_id = $2";
    database.query_one(titles, &[&ids, &company]).await.expect("a count").get::<_, i64>(0) == 1
}

async fn entered(database: &mut Client, company: Uuid) -> tokio_postgres::Transaction<'_> {
    let transaction = database.transaction().await.expect("a transaction");
    transaction.execute("select set_config('app.company_id', $1::uuid::text, true)", &[&company]).await.expect("a company");
    transaction
}

async fn has_index(database: &mut Client, company: Uuid) -> bool {
    let transaction = entered(database, company).await;
    let is_there = transaction.query_one("select app.index_meanings()", &[]).await.expect("an answer").get(0);
    transaction.commit().await.expect("it stays");
    is_there
}

async fn indexes(database: &Client, company: &Company) -> Vec<String> {
    let prefix = format!("knowledge_near_{}_", company.id.simple());
    let names = "select substr(relname, length($1) + 1) from pg_class where starts_with(relname, $1)";
    database.query(names, &[&prefix]).await.expect("indexes").iter().map(|row| row.get(0)).collect()
}

/// With the variable `VECTORS`, the database has to be one that has the extension.
pub async fn meanings_are_compared_by_numbers_where_the_database_can(stack: Arc<Stack>) {
    let [one, other] = [company(&stack).await, company(&stack).await];
    let mut database = stack.database().await;
    for (company, length) in [(&one, 8), (&other, 5)] {
        let transaction = entered(&mut database, company.id).await;
        transaction.execute(MADE, &[&company.id, &MANY, &length]).await.expect("articles");
        transaction.commit().await.expect("they stay");
    }
    let takes = async |database: &Client| -> bool {
        database.query_one("select app.take_vector()", &[]).await.expect("an answer").get(0)
    };
    if !takes(&database).await {
        assert!(std::env::var_os("VECTORS").is_none(), "this database does not have the extension");
        assert!(!is_found(&mut database, one.id, 8).await, "the signs of all others are nearer");
        assert!(!has_index(&mut database, one.id).await);
        return;
    }
    // A database that has it not yet, and gets it.
    database.batch_execute("drop extension vector cascade").await.expect("it goes");
    assert!(!is_found(&mut database, one.id, 8).await && !has_index(&mut database, one.id).await);
    assert!(takes(&database).await && takes(&database).await, "twice is the same");
    assert!(is_found(&mut database, one.id, 8).await && is_found(&mut database, other.id, 5).await, "each compared");
    assert!(indexes(&database, &one).await.is_empty());
    assert!(has_index(&mut database, one.id).await && has_index(&mut database, one.id).await);
    assert_eq!((indexes(&database, &one).await, indexes(&database, &other).await), (vec!["8".to_owned()], vec![]));
    database.batch_execute("analyze knowledge_embeddings").await.expect("statistics");
    assert!(is_found(&mut database, one.id, 8).await && is_found(&mut database, other.id, 5).await, "by index, and without");
    let used = "
        select idx_scan from pg_stat_user_indexes
         where starts_with(indexrelname, 'knowledge_near_' || replace($1::uuid::text, '-', ''))";
    tests::eventually("the index was used", || async {
        let rows = database.query(used, &[&one.id]).await.expect("statistics");
        (rows.first()?.get::<_, i64>(0) > 0).then_some(())
    })
    .await;
    // Where few of the nearest may be told, those further away are found all the same.
    let hide = "
        update knowledge_articles set audience = 'bot'
         where company_id = $1 and title <> 'Artigo 0' and substr(title, 8)::integer <= $2";
    database.execute(hide, &[&one.id, &(MANY - 49)]).await.expect("they are the bot's");
    assert!(is_found(&mut database, one.id, 8).await);
    // A model that makes others: neither length is in the other's way.
    let part = "
        update knowledge_embeddings set signs = signs || B'1', embedding = embedding || 0.01::real
         where company_id = $1 and ($2 or article_id in (select article_id from knowledge_embeddings where company_id = $1 order by 1 limit 20))
           and length(signs) = 8";
    database.execute(part, &[&one.id, &false]).await.expect("some are made anew");
    assert!(has_index(&mut database, one.id).await);
    assert_eq!(indexes(&database, &one).await, ["8"]);
    database.execute(part, &[&one.id, &true]).await.expect("all are made anew");
    assert!(has_index(&mut database, one.id).await);
    assert_eq!(indexes(&database, &one).await, ["9"], "what nobody asks for any more is gone");
    assert!(is_found(&mut database, one.id, 9).await);
}
