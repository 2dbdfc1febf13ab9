
    
      
    

    create  table
      "warehouse"."marts"."identity_report__dbt_tmp"
  
  (
    source varchar not null,
    ids integer,
    customers integer,
    ids_joined_by_key integer,
    ids_joined_by_address integer,
    ids_conflicting integer,
    ids_ambiguous integer,
    ids_unmatched integer,
    ids_without_address integer
    
    )
 ;
    
    
    insert into "warehouse"."marts"."identity_report__dbt_tmp" 
  (
    
      
      
      source ,
    
      
      
      ids ,
    
      
      
      customers ,
    
      
      
      ids_joined_by_key ,
    
      
      
      ids_joined_by_address ,
    
      
      
      ids_conflicting ,
    
      
      
      ids_ambiguous ,
    
      
      
      ids_unmatched ,
    
      
      
      ids_without_address 
    
  )
 (
      
    select source, ids, customers, ids_joined_by_key, ids_joined_by_address, ids_conflicting, ids_ambiguous, ids_unmatched, ids_without_address
    from (
        select
    source,
    cast(count(*) as integer) as ids,
    cast(count(distinct canonical_id) as integer) as customers,
    cast(count(*) filter (where outcome = 'joined_by_key') as integer) as ids_joined_by_key,
    cast(count(*) filter (where outcome = 'joined_by_email') as integer) as ids_joined_by_address,
    cast(count(*) filter (where outcome = 'conflicting') as integer) as ids_conflicting,
    cast(count(*) filter (where outcome = 'ambiguous_email') as integer) as ids_ambiguous,
    cast(count(*) filter (where outcome = 'unmatched_email') as integer) as ids_unmatched,
    cast(count(*) filter (where outcome = 'no_email') as integer) as ids_without_address
from "warehouse"."intermediate"."int_source_ids"
group by source
    ) as model_subq
    );
  