//! nginx with one worker, and libmodsecurity in it or not. By default it closes a connection after 1,000 requests
//! and speaks HTTP/1.0 to upstreams: both are set to what the others do.

use std::path::PathBuf;

use crate::peer::{Absent, Launch, Setting, Waf, installed};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";

/// The recommended settings, as Debian ships them with the module.
const RECOMMENDED: &str = "/etc/nginx/modsecurity.conf";

pub(super) fn prepare(setting: &Setting<'_>, waf: Waf) -> Result<Launch, Absent> {
    let program = installed(&[
        PathBuf::from("/usr/sbin/nginx"),
        PathBuf::from("/usr/local/sbin/nginx"),
    ])?;
    let (module, directives) = match waf {
        Waf::None => (String::new(), String::new()),
        Waf::On => with_modsecurity(setting)?,
    };
    let place = setting.place;
    let text = format!(
        r#"{module}
user root;
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log error;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 1000000000;
    upstream backend {{
        server {upstream};
        keepalive 256;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {listen} ssl http2;
        server_name shop.example;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        {directives}
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $host;
        }}
    }}
}}
"#,
        upstream = place.upstream(),
        listen = setting.listen,
        certificate = place.certificate().display(),
        key = place.key().display(),
    );
    let file = setting.write("nginx.conf", &text)?;
    let folder = place.folder.join(setting.name);
    let arguments = ["-p".into(), folder.into(), "-c".into(), file.into()];
    Ok(Launch {
        program,
        arguments: arguments.to_vec(),
        environment: Vec::new(),
    })
}

fn with_modsecurity(setting: &Setting<'_>) -> Result<(String, String), Absent> {
    let module = installed(&[PathBuf::from(MODULE)])?;
    let recommended = installed(&[PathBuf::from(RECOMMENDED)])?;
    let text = setting.place.directives(&recommended);
    let file = setting.write("modsecurity.conf", &text)?;
    Ok((
        format!("load_module {};", module.display()),
        format!("modsecurity on; modsecurity_rules_file {};", file.display()),
    ))
}
