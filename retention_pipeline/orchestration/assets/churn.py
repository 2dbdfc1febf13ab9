"""The churn model and its scores as assets."""

import dagster as dg

from retention_pipeline.orchestration.assets.models import model_key
from retention_pipeline.orchestration.metadata import pictures_of, table_metadata
from retention_pipeline.orchestration.partitions import ONE_DAY_A_RUN
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import report_progress, stage
from retention_pipeline.warehouse import open_warehouse
from retention_pipeline.workspace.schema import Retention

MODEL = dg.AssetKey(["churn", "churn_model"])
SCORES = dg.AssetKey(["decisions", "churn_scores"])


def build_churn_assets(config: Retention, partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The model that a run trains, and the scores that it gives."""
    owners = list(config.owners)

    @dg.asset(
        key=MODEL,
        backfill_policy=ONE_DAY_A_RUN,
        deps=[model_key("marts", "customer_features"), model_key("marts", "churn_labels")],
        partitions_def=partitions,
        group_name="churn",
        kinds={"scikitlearn"},
        owners=owners,
        description=(
            "The churn model, trained on past month-ends and tested on the newest observable ones, kept in the "
            "registry with its card. Where the data is too short for a model, the reason is shown and nobody is scored."
        ),
    )
    def churn_model(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:
        from retention_pipeline.churn.model import NotEnoughHistory, train
        from retention_pipeline.churn.registry import retire_model, save_model

        day = run_day(context)
        with stage("Train the churn model"), open_warehouse(workspace.paths.warehouse, read_only=True) as con:
            try:
                model = train(con, day, config.churn, on_progress=report_progress)
            except NotEnoughHistory as reason:
                retire_model(workspace.paths.models, day)
                return dg.MaterializeResult(metadata={"model": "none", "reason": reason.text()})
            save_model(model, workspace.paths.models)
        return dg.MaterializeResult(metadata={"model": model.model_id})

    @dg.asset(
        key=SCORES,
        backfill_policy=ONE_DAY_A_RUN,
        deps=[MODEL, model_key("marts", "customer_features")],
        partitions_def=partitions,
        group_name="churn",
        kinds={"scikitlearn", "duckdb"},
        owners=owners,
        description=(
            "Probability that an active customer is lost within the horizon, by the model kept for the day. "
            "One row per active customer who has not given notice."
        ),
    )
    def churn_scores(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:
        from retention_pipeline.churn.registry import load_model, promoted_model
        from retention_pipeline.churn.scoring import clear_scores, score

        paths, day = workspace.paths, run_day(context)
        with stage("Score customers"), open_warehouse(paths.warehouse) as con:
            model_id = promoted_model(paths.models, day)
            if model_id is None:
                clear_scores(con)
                return dg.MaterializeResult(metadata={"model": "none", "dagster/row_count": 0})
            score(con, load_model(paths.models, model_id), day, config.segments.risk)
            report_progress("counting")
            metadata = table_metadata(con, "decisions", ["churn_scores"])["churn_scores"]
            pictures = pictures_of(con, "decisions.churn_calibration")
            figures = con.execute(
                "SELECT auc, baseline_auc, pr_auc, brier, lift_top_decile, base_rate FROM decisions.churn_model"
            ).fetchall()[0]
        names = ("AUC", "AUC of the logistic baseline", "PR-AUC", "Brier", "lift of the top tenth", "base rate")
        return dg.MaterializeResult(
            metadata={
                **metadata,
                "model": model_id,
                **{name: dg.MetadataValue.float(value) for name, value in zip(names, figures, strict=True)},
                **pictures,
            }
        )

    return [churn_model, churn_scores]
