//! The edge itself: its own binary with a configuration like a user's. Its access log is off as everybody's; all
//! else is its default.

use crate::peer::{Absent, Launch, Setting, installed};

pub(super) fn prepare(setting: &Setting<'_>, mode: &str) -> Result<Launch, Absent> {
    let program = installed(std::slice::from_ref(&setting.place.palisade))?;
    let place = setting.place;
    let text = format!(
        r#"[server]
workers = 1
data_dir = "{folder}"

[listen]
https = ["{listen}"]
http = []
admin = false
max_connections = 16384

[tls]
[[tls.certificates]]
certificate = "{certificate}"
key = "{key}"

[log]
level = "warn"
access = "off"

[waf]
rules = "{rules}"
mode = "{mode}"

[[routes]]
name = "shop"
hosts = ["shop.example"]
backends = ["http://{upstream}"]
"#,
        folder = place.folder.join(setting.name).display(),
        listen = setting.listen,
        certificate = place.certificate().display(),
        key = place.key().display(),
        rules = place.rules.display(),
        upstream = place.upstream(),
    );
    let file = setting.write("palisade.toml", &text)?;
    Ok(Launch {
        program,
        arguments: vec!["run".into(), "--config".into(), file.into()],
        environment: Vec::new(),
    })
}
