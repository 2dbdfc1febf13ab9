
    
      
    

    create  table
      "warehouse"."marts"."fct_orders__dbt_tmp"
  
  (
    order_id varchar not null,
    customer_key varchar,
    ordered_on date,
    purchase_value decimal(18,4),
    return_value decimal(18,4),
    fee_value decimal(18,4),
    adjustment_value decimal(18,4),
    net_revenue decimal(18,4),
    units decimal(18,3),
    lines bigint,
    is_purchase boolean
    
    )
 ;
    
    
    insert into "warehouse"."marts"."fct_orders__dbt_tmp" 
  (
    
      
      
      order_id ,
    
      
      
      customer_key ,
    
      
      
      ordered_on ,
    
      
      
      purchase_value ,
    
      
      
      return_value ,
    
      
      
      fee_value ,
    
      
      
      adjustment_value ,
    
      
      
      net_revenue ,
    
      
      
      units ,
    
      
      
      lines ,
    
      
      
      is_purchase 
    
  )
 (
      
    select order_id, customer_key, ordered_on, purchase_value, return_value, fee_value, adjustment_value, net_revenue, units, lines, is_purchase
    from (
        select
    orders.order_id,
    customer.customer_key,
    orders.ordered_on,
    orders.purchase_value,
    orders.return_value,
    orders.fee_value,
    orders.adjustment_value,
    orders.net_revenue,
    orders.units,
    orders.lines,
    orders.is_purchase
from "warehouse"."intermediate"."int_orders" as orders
left join "warehouse"."intermediate"."int_customers" as customer on customer.customer_id = orders.customer_id
    ) as model_subq
    );
  