//! What `estimate` and `fit` both ask: which model, on what, in which shape.

use clap::Args;

use crate::completer;

/// The deployment that is asked about.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeploymentArguments {
    /// Hugging Face id of the model
    #[arg(long, add = completer::models())]
    model: String,
    /// Instance type, for instance g6e.xlarge
    #[arg(long, add = completer::instances())]
    instance: String,
    /// Precision of the weights: bf16, fp16, fp8, int8 or int4 [default: as the model comes]
    #[arg(long)]
    quantization: Option<String>,
    /// Over how many accelerators one replica is split [default: as few as hold it]
    #[arg(long, visible_alias = "tp", value_name = "COUNT")]
    tensor_parallel: Option<u32>,
}

impl DeploymentArguments {
    /// As parameters of the server, with `more` of them; what was not given is left out.
    pub(super) fn parameters<const COUNT: usize>(
        self,
        more: [(&'static str, Option<String>); COUNT],
    ) -> Vec<(&'static str, String)> {
        let own = [
            ("model", Some(self.model)),
            ("instance_type", Some(self.instance)),
            ("quantization", self.quantization),
            ("tensor_parallel", self.tensor_parallel.map(|count| count.to_string())),
        ];
        own.into_iter().chain(more).filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
