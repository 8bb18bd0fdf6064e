-- Who is next is asked whenever a run comes or goes, and must not take longer because a hundred thousand wait.
CREATE INDEX runs_in_line ON runs (capacity_group, priority, run_id) WHERE phase = 'queued';

-- Catalog runs follow others of their instance type and model while the node of those may still be there.
CREATE INDEX runs_in_line_by_type ON runs (capacity_group, priority, instance_type, model, run_id) WHERE phase = 'queued';
CREATE INDEX runs_ended_lately ON runs (capacity_group, phase_since) WHERE phase = 'finished';
