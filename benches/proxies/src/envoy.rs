//! Envoy, without a WAF: one listener, one route, one cluster, one worker. What its defaults add (request ids,
//! statistics) stays.

use crate::peer::{Absent, Launch, Setting, installed};

const TEMPLATE: &str = include_str!("../envoy.yaml");

pub(super) fn prepare(setting: &Setting<'_>) -> Result<Launch, Absent> {
    let program = installed(&[setting.place.peers.join("envoy")])?;
    let place = setting.place;
    let text = [
        ("@listen_host@", setting.listen.ip().to_string()),
        ("@listen_port@", setting.listen.port().to_string()),
        ("@certificate@", place.certificate().display().to_string()),
        ("@key@", place.key().display().to_string()),
        ("@options@", String::new()),
        ("@domains@", "shop.example".to_owned()),
        ("@routes@", String::new()),
        ("@upstream_host@", place.upstream().ip().to_string()),
        ("@upstream_port@", place.upstream().port().to_string()),
    ]
    .into_iter()
    .fold(TEMPLATE.to_owned(), |text, (name, value)| {
        text.replace(name, &value)
    });
    let file = setting.write("envoy.yaml", &text)?;
    let mut arguments = vec!["--config-path".into(), file.into()];
    let fixed = "--concurrency 1 --disable-hot-restart --log-level error";
    arguments.extend(fixed.split(' ').map(Into::into));
    Ok(Launch {
        program,
        arguments,
        environment: Vec::new(),
    })
}
