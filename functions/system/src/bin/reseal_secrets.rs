//! Every day, and by hand after a key was put first — seals anew what is sealed with an earlier key. How many are left is the metric
//! `secrets_sealed_otherwise`: at 0 the earlier key may go.

use std::time::Duration;

use shared::{log, prelude::*};
use system::sealed::Sealed;

/// Secrets in one transaction.
const PAGE: i32 = 200;

/// No page is begun after this long, so that the run ends before its time does. The next one goes on with what is left.
const LONGEST: Duration = Duration::from_secs(30);

const OTHERWISE: &str = "select * from app.sealed_otherwise($1, $2, $3)";

const KEEP: &str = "select app.keep_sealed($1, $2, $3, $4, $5) as kept";

#[derive(FromRow)]
struct Kept {
    kept: i32,
}

pub fn main() {
    serve_schedule("rate(1 day)", Privilege::Standard, reseal_secrets);
}

async fn reseal_secrets(context: Context) -> Result<(), Error> {
    let mut behind = String::new();
    let (mut left, mut unopened) = (0, 0);
    loop {
        let transaction = context.begin_nobody().await?;
        let keys = &context.secrets().encryption_keys;
        let page: Vec<Sealed> = transaction.all(OTHERWISE, &[&keys[0].id, &behind, &PAGE]).await?;
        let Some(last) = page.last() else { break };
        if context.elapsed() > LONGEST {
            left += page.len();
            break;
        }
        behind.clone_from(&last.place);
        let (mut kept_ins, mut owners, mut names, mut befores, mut afters) = (vec![], vec![], vec![], vec![], vec![]);
        for sealed in &page {
            let Some(after) = sealed.anew(keys) else {
                unopened += 1;
                continue;
            };
            kept_ins.push(sealed.kept_in.as_str());
            owners.push(sealed.owner_id);
            names.push(sealed.name.as_str());
            befores.push(sealed.sealed.as_slice());
            afters.push(after);
        }
        // Whoever has written another secret meanwhile has sealed it with the first key.
        let Kept { kept } = transaction.one(KEEP, &[&kept_ins, &owners, &names, &befores, &afters]).await?;
        transaction.commit_quietly().await?;
        log::metric("secrets_sealed_anew", "Count", f64::from(kept), &context.origin().function);
    }
    if unopened > 0 {
        log::error("secrets that no listed key opens", &unopened.to_string());
    }
    let left = u32::try_from(left + unopened).unwrap_or(u32::MAX);
    log::metric("secrets_sealed_otherwise", "Count", f64::from(left), &context.origin().function);
    Ok(())
}
