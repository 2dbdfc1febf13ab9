
    
      
    

    create  table
      "warehouse"."marts"."dim_customers__dbt_tmp"
  
  (
    customer_key varchar not null,
    first_seen_on date,
    country varchar,
    region varchar,
    language varchar,
    acquisition_channel varchar,
    preferred_channel varchar,
    company_size varchar,
    industry varchar
    
    )
 ;
    
    
    insert into "warehouse"."marts"."dim_customers__dbt_tmp" 
  (
    
      
      
      customer_key ,
    
      
      
      first_seen_on ,
    
      
      
      country ,
    
      
      
      region ,
    
      
      
      language ,
    
      
      
      acquisition_channel ,
    
      
      
      preferred_channel ,
    
      
      
      company_size ,
    
      
      
      industry 
    
  )
 (
      
    select customer_key, first_seen_on, country, region, language, acquisition_channel, preferred_channel, company_size, industry
    from (
        select
    customer_key,
    first_seen_on,
    country,
    region,
    language,
    acquisition_channel,
    preferred_channel,
    company_size,
    industry
from "warehouse"."intermediate"."int_customers"
    ) as model_subq
    );
  