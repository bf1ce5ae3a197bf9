//! The configured language model: its server, its key and what it may use.

use std::time::Duration;

use anyhow::{Context, bail};
use vigie_analyzer::NAME;
use vigie_analyzer::model::http::{Key, Server};
use vigie_analyzer::model::{Limits, Model};
use vigie_event::Lang;

use crate::config::{MODEL_KEY, ModelConfig};

/// Tries for one incident.
const ATTEMPTS: u32 = 3;
/// Bytes of a key's file that are read.
const KEY_BYTES: usize = 4_096;

/// A model and where it is served.
#[derive(Debug)]
pub struct Configured {
    pub model: Model,
    pub server: Server,
    pub limits: Limits,
}

/// The model that `config` names; `None` where it names none.
pub fn configured(config: &ModelConfig, lang: Lang) -> anyhow::Result<Option<Configured>> {
    match (config.url.is_empty(), config.name.is_empty()) {
        (true, true) => return Ok(None),
        (true, false) => bail!("configuration: model.name is set and model.url is not"),
        (false, true) => bail!(
            "configuration: model.url is set and model.name is not; name one of the models that the server lists under /v1/models"
        ),
        (false, false) => {}
    }
    if config.name == NAME {
        bail!(
            "configuration: model.name must not be \"{NAME}\", which is the first analyst's name"
        );
    }
    if config.timeout_s == 0 || config.max_tokens == 0 {
        bail!("configuration: model.timeout_s and model.max_tokens must be 1 or more");
    }
    let server = Server::new(&config.url, key(config)?)
        .map_err(|problem| anyhow::anyhow!("configuration: model.url: {problem}"))?;
    Ok(Some(Configured {
        model: Model {
            name: config.name.clone(),
            max_tokens: config.max_tokens,
            timeout: Duration::from_secs(config.timeout_s.into()),
            notes: config.notes,
            lang,
        },
        server,
        limits: Limits {
            concurrency: config.concurrency.clamp(1, 64) as usize,
            per_minute: config.per_minute,
            tokens_per_day: config.tokens_per_day,
            attempts: ATTEMPTS,
        },
    }))
}

/// The key of the environment, else that in the configured file, else none.
fn key(config: &ModelConfig) -> anyhow::Result<Key> {
    let from_environment = std::env::var(MODEL_KEY).ok().filter(|key| !key.trim().is_empty());
    if let Some(key) = from_environment {
        return Key::new(&key).map_err(|problem| anyhow::anyhow!("{MODEL_KEY}: {problem}"));
    }
    let path = &config.key_file;
    if path.as_os_str().is_empty() {
        return Ok(Key::default());
    }
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("configuration: model.key_file: cannot read {}", path.display())
    })?;
    if text.len() > KEY_BYTES {
        bail!("configuration: model.key_file: {} is no file with a key alone", path.display());
    }
    Key::new(&text).map_err(|problem| anyhow::anyhow!("configuration: model.key_file: {problem}"))
}
