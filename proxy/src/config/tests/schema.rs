pub(in crate::config) fn record(_: &str, _: &[&'static str], _: Option<&toml::de::DeTable<'_>>) {}
