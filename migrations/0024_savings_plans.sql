-- Savings plans are a tier: a commitment like a reserved instance, but one that any instance type of any region draws on.
ALTER TABLE prices DROP CONSTRAINT prices_tier_check;
ALTER TABLE prices ADD CONSTRAINT prices_tier_check CHECK (tier IN (
    'on_demand', 'reserved_1_year', 'reserved_3_year', 'savings_plan_1_year', 'savings_plan_3_year', 'spot',
    'capacity_block'));
ALTER TABLE prices DROP CONSTRAINT prices_check1;
ALTER TABLE prices ADD CONSTRAINT prices_commitments_have_a_payment CHECK (
    (tier IN ('reserved_1_year', 'reserved_3_year', 'savings_plan_1_year', 'savings_plan_3_year'))
    = (payment IS NOT NULL));
