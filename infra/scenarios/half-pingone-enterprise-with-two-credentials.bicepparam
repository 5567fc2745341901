// Half of what the source needs is given: the deployment is refused.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param pingOneEnterprisePollUrl = 'https://admin.example.com/poll'
param pingOneEnterpriseClientId = 'client-1'
param pingOneEnterpriseUsername = 'reader'
